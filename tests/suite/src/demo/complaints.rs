//! A few complaints at every stage, and one that was praised.

use serde_json::{Value, json};

use super::{DEPARTMENT_HEAD, Hospital, LEADER, LOGIN, NURSE, rows};
use crate::Answer;

/// Category, second level, severity, what was said, what is wanted.
const TOLD: [(&str, &str, &str, &str, &str); 7] = [
    ("ATT", "cold", "C", "夜里按铃三次没有人来，早上问护士又说不知道。", "希望护士长说明情况并道歉。"),
    ("FEE", "overcharge", "C", "出院结算单上同一项检查收了两次费。", "核对并退还多收的费用。"),
    ("ATT", "explaining", "C", "问用药怎么吃，医生说看说明书。", "希望讲清楚用药。"),
    ("PROC", "report", "C", "血液检查报告等了四个小时。", "说明原因。"),
    ("MED", "medication", "B", "出院带药与医嘱单写的剂量不一样，吃了两天头晕。", "查明原因，给出书面答复。"),
    ("ATT", "cold", "C", "询问病情时被打断，说话不耐烦。", "改进态度。"),
    ("PRAISE", "nurse", "C", "责任护士每天都来看望，非常细心。", ""),
];
const DEPARTMENT: &str = "心血管内科";

/// Registers them for patients of the archive and takes them to different stages; answers with their number.
///
/// # Errors
/// When a command is refused.
pub fn complain(hospital: &Hospital) -> Answer<usize> {
    hospital.log_in(NURSE)?;
    let found = hospital.call("archive_find", json!({ "query": "", "limit": 20 }))?;
    let patients: Vec<Value> = rows(&found, "hits").iter().map(|hit| hit["patient_id"].clone()).collect();
    let mut made = Vec::new();
    for (number, (category, sub, severity, summary, demand)) in TOLD.iter().enumerate() {
        let patient = patients.get(number % patients.len().max(1));
        let begun = hospital.call("complaints_prefill", json!({ "patient_id": patient }))?;
        let mut form = begun["form"].clone();
        form["departments"] = json!([DEPARTMENT]);
        for (field, value) in [
            ("category", category),
            ("subcategory", sub),
            ("severity", severity),
            ("summary", summary),
            ("demand", demand),
        ] {
            form[field] = json!(value);
        }
        let answer = hospital.call("complaints_register", json!({ "form": form }))?;
        made.push(answer["id"].clone());
    }
    // The longest road first: closed, then one less each.
    for (id, steps) in made.iter().zip([7_usize, 5, 3, 2, 1, 0]) {
        take(hospital, id, steps)?;
    }
    hospital.log_in(NURSE)?;
    let promise = json!({ "id": made.get(4), "promise": "三天内由药师电话说明用药", "due_on": later()? });
    hospital.call("complaints_promise", promise)?;
    hospital.log_in(LOGIN)?;
    Ok(made.len())
}

fn later() -> Answer<String> {
    let day = chrono::Utc::now().date_naive().checked_add_days(chrono::Days::new(3));
    Ok(day.ok_or("a day")?.to_string())
}

/// The first `steps` steps of the road from the call to the closed dossier.
fn take(hospital: &Hospital, id: &Value, steps: usize) -> Answer {
    let people = hospital.call("complaints_people", json!({}))?;
    let head =
        rows(&people, "investigators").iter().find(|one| one["name"] == "刘洋").cloned().unwrap_or_default();
    let road = [
        (DEPARTMENT_HEAD, "accept", json!({ "text": "已收到，今天核实。" })),
        (DEPARTMENT_HEAD, "investigate", json!({ "investigator_id": head["id"] })),
        (
            DEPARTMENT_HEAD,
            "propose",
            json!({
                "finding": "已调阅呼叫记录并询问当班人员，投诉内容属实。", "verdict": "founded", "resolutions": ["explained", "apology"],
                "measures": "调整夜班巡视间隔，护士长每周抽查呼叫记录。", "reply": "经调查，您反映的问题属实。我们向您诚恳道歉，并已调整夜班巡视安排。",
            }),
        ),
        (LEADER, "approve", json!({ "text": "同意，落实整改。" })),
        (
            NURSE,
            "reply",
            json!({ "reply": "经调查，您反映的问题属实。我们向您诚恳道歉，并已调整夜班巡视安排。", "reply_way": "phone" }),
        ),
        (NURSE, "rate", json!({ "attitude": "satisfied", "text": "家属表示接受。" })),
        (NURSE, "close", json!({})),
    ];
    for (who, name, form) in road.into_iter().take(steps) {
        hospital.log_in(who)?;
        let mut request = form;
        request["id"] = id.clone();
        request["move"] = json!(name);
        hospital.call("complaints_move", request)?;
    }
    Ok(())
}
