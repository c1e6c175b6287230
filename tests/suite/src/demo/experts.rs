//! What the calls brought up is passed on, and an expert answers some of it.

use serde_json::{Value, json};

use super::{EXPERT, Hospital, NURSE, rows};
use crate::Answer;

/// One alert in this many stays where it is: somebody still has to pass it on.
const LEFT_OPEN: usize = 3;

/// The nurse passes alerts on to the expert's department; the expert answers half of what arrives.
///
/// # Errors
/// When a command is refused.
pub fn ask_experts(hospital: &Hospital) -> Answer<usize> {
    hospital.log_in(NURSE)?;
    let listed = hospital
        .call("followup_alerts", json!({ "filter": "open", "level": null, "offset": 0, "limit": 50 }))?;
    let alerts: Vec<&Value> = rows(&listed, "alerts")
        .iter()
        .enumerate()
        .filter(|(at, _)| at % LEFT_OPEN != 1)
        .map(|(_, row)| row)
        .collect();
    let mut asked = Vec::new();
    for alert in &alerts {
        let name = alert["name"].as_str().unwrap_or_default();
        let consult = hospital.call(
            "followup_alert_route",
            json!({
                "alert_id": alert["id"], "department": "心血管内科", "asked_of": null,
                "question": format!("{name}电话里说近两天症状加重，详见本次回访的回答。需要提前复诊吗？用药要不要调整？"),
            }),
        )?;
        asked.push(consult["id"].clone());
    }
    hospital.log_in(EXPERT)?;
    for consult in asked.iter().step_by(2) {
        hospital.call(
            "followup_reply",
            json!({
                "consult_id": consult, "reply": "请患者本周内来心血管内科门诊复查，带上出院小结和在用药物。",
                "advice": "症状加重或休息时也出现，立即拨打 120，不要自行前往。", "next_visit_on": null, "call_back_on": null,
            }),
        )?;
    }
    Ok(asked.len())
}
