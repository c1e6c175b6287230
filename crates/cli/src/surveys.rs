//! Figures of satisfaction surveys.

use aftercare_domain::survey::Kind;
use serde_json::{Value, json};

use crate::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::words::words;

/// The figures of a period with their numerators and denominators.
pub fn summary(desk: &Desk, from: &str, to: &str, kind: Option<&str>) -> Result<Answer, Failure> {
    if kind.is_some_and(|kind| Kind::parse(kind).is_none()) {
        return Err(Failure::of_code(desk.language, "not_allowed", None));
    }
    let scope = json!({ "from": from, "to": to, "kind": kind });
    let found = desk.call("surveys_results", json!({ "scope": scope }))?;
    let loyalty = desk.call("surveys_loyalty", json!({ "scope": scope }))?;
    let figures = figures(&found, &loyalty);
    let groups =
        |name: &str| -> Vec<Value> { found[name].as_array().into_iter().flatten().map(group).collect() };
    let json = json!({
        "from": from, "to": to, "kind": kind, "scale": found["scale"], "min_n": found["min_n"],
        "sheets": found["whole"]["measures"]["sheets"], "valid": found["whole"]["measures"]["valid"],
        "figures": figures, "dimensions": groups("dimensions"), "departments": groups("departments"),
        "months": groups("months"),
    });
    let words = words(desk.language);
    let mut lines: Vec<String> = figures
        .iter()
        .map(|figure| {
            let name = figure["code"].as_str().unwrap_or_default();
            line(words.text(&format!("survey.{name}")), figure)
        })
        .collect();
    lines.extend(
        groups("departments").iter().map(|group| line(group["key"].as_str().unwrap_or_default(), group)),
    );
    Ok(Answer { json, text: lines.join("\n") })
}

/// One figure: its value, interval, numerator and denominator. The score's numerator is the sum of the sheets' scores.
fn figures(found: &Value, loyalty: &Value) -> Vec<Value> {
    let (whole, sums) = (&found["whole"], &found["whole"]["measures"]);
    let net = sums["promoters"].as_i64().unwrap_or(0) - sums["detractors"].as_i64().unwrap_or(0);
    let one = |code: &str, estimate: &Value, numerator: Value, denominator: &Value| {
        json!({
            "code": code, "value": estimate["value"], "low": estimate["low"], "high": estimate["high"],
            "numerator": numerator, "denominator": denominator,
        })
    };
    vec![
        one("SAT_SCORE", &whole["score"], total(whole), &sums["scored"]),
        one("SAT_RATE", &whole["satisfied"], sums["good"].clone(), &sums["rated"]),
        one("NPS", &whole["nps"], json!(net), &sums["recommending"]),
        one("RETURN", &whole["come_back"], sums["come_back"].clone(), &sums["come_back_asked"]),
        one("RESP_RATE", &found["response"], found["answered"].clone(), &found["invited"]),
        json!({
            "code": "LOYAL", "value": loyalty["index"], "low": null, "high": null,
            "numerator": loyalty["retained"], "denominator": loyalty["observed"],
        }),
    ]
}

/// Sum of the scores that a mean is made of.
fn total(figures: &Value) -> Value {
    let (value, scored) = (figures["score"]["value"].as_f64(), figures["measures"]["scored"].as_f64());
    value.zip(scored).map_or(Value::Null, |(value, scored)| json!((value * scored * 1e6).round() / 1e6))
}

fn group(group: &Value) -> Value {
    let figures = &group["figures"];
    json!({
        "key": group["key"], "rank": group["rank"], "small": figures["small"],
        "value": figures["score"]["value"], "low": figures["score"]["low"], "high": figures["score"]["high"],
        "numerator": total(figures), "denominator": figures["measures"]["scored"],
    })
}

/// Name, value with its interval, numerator / denominator.
fn line(name: &str, figure: &Value) -> String {
    let number =
        |key: &str| figure[key].as_f64().map_or_else(|| "—".to_owned(), |value| format!("{value:.1}"));
    let count = |key: &str| match &figure[key] {
        Value::Null => "—".to_owned(),
        value if value.is_f64() => number(key),
        value => value.to_string(),
    };
    let interval = if figure["low"].is_null() {
        String::new()
    } else {
        format!(" ({}–{})", number("low"), number("high"))
    };
    format!("{name}\t{}{interval}\t{} / {}", number("value"), count("numerator"), count("denominator"))
}
