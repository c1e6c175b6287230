//! Where the tour goes, in the order of the menu.

use super::Stop::{self, Choose, Click, Fill, Go, Key, NextInQueue, Page, Picture, See, Touch};

const F1: &str = "\u{E031}";
const F2: &str = "\u{E032}";
const F4: &str = "\u{E034}";
const ESCAPE: &str = "\u{E00C}";
const CTRL_K: &str = "\u{E009}k";
const FIRST_ROW: &str = "[role='grid'] [data-key]";
/// For a hospital that lives as long as the pictures of its wizard.
const NEW_PASSWORD: &str = "correct horse 42";

/// The wizard, step by step.
pub const FIRST_RUN: &[Stop] = &[
    Picture("first-run-0-way"),
    Click("[data-test='choose-own']"),
    Picture("first-run-1-hospital"),
    Fill("[data-test='hospital']", "青山县人民医院"),
    Fill("[data-test='site']", "本部"),
    Click("[data-test='next']"),
    See("[data-test='setup-account']"),
    Fill("[data-test='display-name']", "周静"),
    Fill("[data-test='password']", NEW_PASSWORD),
    Fill("[data-test='repeat']", NEW_PASSWORD),
    Picture("first-run-2-account"),
    Click("[data-test='next']"),
    See("[data-test='code']"),
    Picture("first-run-3-code"),
];

/// Everything the supervisor sees, part by part of the menu.
pub const EVERY: [&[Stop]; 8] =
    [DESK, ALERTS, COMPLAINTS, SURVEYS, PATIENTS, IMPORTS, PLANS_AND_FIGURES, SETTINGS];

/// Today, the queue, an expert's reply with its slip, a call.
const DESK: &[Stop] = &[
    Click("[data-test='menu-reports.today']"),
    Page("reports.today"),
    Picture("today"),
    Click("[data-test='menu-followup']"),
    Page("followup"),
    See("[data-test='queue']"),
    Picture("followup"),
    Click("[data-test='queue'] [data-patient]"),
    Page("followup"),
    See("[data-test='call']"),
    Picture("followup-reply"),
    Click("[data-test='call'] .slip"),
    Page("followup.slip"),
    Click("[data-test='paper-A5']"),
    Picture("slip-a5"),
    Click("[data-test='paper-A4']"),
    Picture("slip-a4"),
    Go("#/followup"),
    NextInQueue,
    Picture("followup-call"),
    Key(F2),
    See("[data-test='guard-block'], [data-test='guard-warn'], [data-phase='ringing']"),
    Picture("followup-dialled"),
    Click("[data-test^='question-'] .option"),
    See("[data-phase='talking']"),
    Key(F4),
    See("[data-test='outcome'] .reasons"),
    Picture("followup-talking"),
    Click("[data-test='act-add']"),
    Picture("followup-add-task"),
];

const ALERTS: &[Stop] = &[
    Click("[data-test='menu-followup.alerts']"),
    Page("followup.alerts"),
    Picture("alerts"),
    Click(FIRST_ROW),
    See("aside.side"),
    Picture("alert"),
];

/// The list, the board, one on its way, a closed one's dossier, and the form.
const COMPLAINTS: &[Stop] = &[
    Click("[data-test='menu-complaints']"),
    Page("complaints"),
    Touch("[data-test='as-list']"),
    See(FIRST_ROW),
    Picture("complaints"),
    Touch("[data-test='as-board']"),
    See("[data-test='board']"),
    Picture("complaints-board"),
    Touch("[data-test='as-list']"),
    Touch("[data-test='view-due']"),
    Click("[role='grid'] [data-key] a.number"),
    Page("complaints.one"),
    See("[data-test='complaint']"),
    Picture("complaint"),
    Key(F2),
    Picture("complaint-move"),
    Click("[data-test='menu-complaints']"),
    Page("complaints"),
    Touch("[data-test='view-ended']"),
    Click("[role='grid'] [data-key] a.number"),
    Page("complaints.one"),
    Click("[data-test='dossier']"),
    Page("complaints.dossier"),
    See("[data-test='dossier-paper']"),
    Picture("complaint-dossier"),
    Go("#/complaints/new"),
    See("[data-test='complaint-form']"),
    Picture("complaint-new"),
];

/// The results, the rows behind the score and one sheet, the rounds, a round's queue, paper, the screen.
const SURVEYS: &[Stop] = &[
    Click("[data-test='menu-surveys']"),
    Page("surveys"),
    See("[data-test='figure-score']"),
    Picture("surveys"),
    Click("[data-test='figure-score']"),
    See("[data-test='open-sheet']"),
    Picture("surveys-rows"),
    Click("[data-test='open-sheet']"),
    See("[data-test='sheet']"),
    Picture("surveys-sheet"),
    Click("[data-test='tab-rounds']"),
    Page("surveys.rounds"),
    Picture("surveys-rounds"),
    Click("[role='grid'] [data-key] a.name"),
    Page("surveys.round"),
    See("[data-test='queue']"),
    Picture("surveys-round"),
    Go("#/surveys/paper"),
    See("[data-test='paper']"),
    Picture("surveys-paper"),
    Go("#/surveys/screen"),
    See("[data-test='screen-setup']"),
    Picture("surveys-screen"),
];

const PATIENTS: &[Stop] = &[
    Click("[data-test='menu-archive.find']"),
    Page("archive.find"),
    Fill("[data-test='find-input']", "ye"),
    Picture("patients"),
    Click("[role='grid'] [data-key] a.name"),
    Page("archive.patient"),
    See("[data-test='timeline'] li"),
    Picture("patient"),
    Key(F4),
    See("[data-test='edit-form']"),
    Picture("patient-edit"),
    Go("#/patients/duplicates"),
    Picture("duplicates"),
    Go("#/patients/new"),
    Picture("patient-new"),
];

const IMPORTS: &[Stop] = &[
    Click("[data-test='menu-imports']"),
    Page("imports"),
    Picture("imports"),
    Choose,
    Click("[data-test='pick']"),
    See("[data-test='columns']"),
    Picture("import-columns"),
    Click("[data-test='try']"),
    See("[data-test='result']"),
    Picture("import-tried"),
    // Away and back: the page begins anew.
    Go("#/today"),
    Go("#/imports"),
    Click("[data-test='history'] [data-key] a"),
    Page("imports.batch"),
    Picture("import-batch"),
];

const PLANS_AND_FIGURES: &[Stop] = &[
    Click("[data-test='menu-forms.plans']"),
    Page("forms.plans"),
    Picture("plans"),
    Go("#/plans/PCI"),
    Picture("plan"),
    Click("[data-test='tab-questions']"),
    Picture("plan-questions"),
    Click("[data-test='tab-rules']"),
    Picture("plan-rules"),
    Click("[data-test='tab-script']"),
    Picture("plan-script"),
    Click("[data-test='try']"),
    See("[data-test='try-result']"),
    Picture("plan-try"),
    Go("#/plans/PCI/edit"),
    Picture("plan-edit"),
    Go("#/questionnaires/SAT_IPD/edit"),
    Click("[data-test='tab-questions']"),
    Click("[data-test='open-bank']"),
    See("[data-test='bank'] li"),
    Picture("questionnaire-bank"),
    Go("#/questionnaires/SAT_IPD"),
    Picture("questionnaire"),
    Click("[data-test='menu-reports.figures']"),
    Page("reports.figures"),
    Picture("reports"),
    Click("[data-test='figure-completion']"),
    See("[data-test='rows']"),
    Picture("reports-rows"),
    Click("[data-test='open-export']"),
    See("[data-test='export']"),
    Picture("reports-export"),
    Click("[data-test='menu-reports.month']"),
    Page("reports.month"),
    Click("[data-test='later']"),
    See("[data-test='figures-followup']"),
    Picture("month"),
    Click("[data-test='open-month-export']"),
    See("[data-test='month-start']"),
    Picture("month-export"),
];

const SETTINGS: &[Stop] = &[
    Go("#/settings/appearance"),
    Picture("settings-appearance"),
    Go("#/settings/calling"),
    Picture("settings-calling"),
    Go("#/settings/security"),
    Picture("settings-security"),
    Go("#/settings/people"),
    Click(FIRST_ROW),
    See("[data-test='person']"),
    Picture("settings-people"),
    Go("#/settings/calendar"),
    Picture("settings-calendar"),
    Go("#/settings/backup"),
    Picture("settings-backup"),
    Go("#/settings/audit"),
    Picture("settings-audit"),
    Go("#/settings/account"),
    Picture("settings-account"),
    // What lies over every page.
    Key(CTRL_K),
    See("[data-test='palette']"),
    Picture("palette"),
    Key(ESCAPE),
    Go("#/followup"),
    Key(F1),
    See("[data-test='key-help']"),
    Picture("keys"),
    Key(ESCAPE),
];

/// The call page alone.
pub const CALL: &[Stop] = &[
    Go("#/followup"),
    NextInQueue,
    Picture("followup-call"),
    Touch("[data-test^='question-'] .option"),
    See("[data-phase='talking']"),
    Picture("followup-talking"),
];

/// The main pages, for another look.
pub const LOOKS: &[Stop] = &[
    Go("#/today"),
    Picture("today"),
    Go("#/followup"),
    NextInQueue,
    Picture("followup-call"),
    Go("#/alerts"),
    Click(FIRST_ROW),
    See("aside.side"),
    Picture("alerts"),
    Go("#/patients"),
    Fill("[data-test='find-input']", "ye"),
    Click("[role='grid'] [data-key] a.name"),
    Page("archive.patient"),
    See("[data-test='timeline'] li"),
    Picture("patient"),
    Go("#/imports"),
    Picture("imports"),
    Go("#/plans/PCI"),
    Picture("plan"),
    Go("#/reports"),
    Picture("reports"),
    Go("#/settings/calling"),
    Picture("settings-calling"),
];

/// The doctor's day.
pub const INBOX: &[Stop] = &[
    Go("#/consults"),
    See("[data-test='reply-form']"),
    Picture("inbox"),
    Click("[data-test='with-answered']"),
    Picture("inbox-answered"),
    Click("[data-test='with-answered']"),
];

/// The auditor's.
pub const AUDIT: &[Stop] = &[Go("#/settings/audit"), Picture("audit")];
