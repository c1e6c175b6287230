//! Plans, questionnaires and sample answers from and to FHIR R4 files.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use aftercare_domain::error_code::ErrorCode;
use aftercare_domain::forms::fhir::{
    self, Document, FhirError, ResponseFault as Fault, export_form, export_plan, export_response,
};
use aftercare_domain::forms::{CompiledForm, FormContext};
use serde_json::{Value, json};

use super::{
    AnswersReadRequest, AnswersReadResponse, AnswersWriteRequest, ExportRequest, ExportResponse,
    ImportRequest, ImportResponse, Kind, ResponseFault, TryRequest, catalog, commands, questionnaires, save,
    store,
};
use crate::app::Ctx;
use crate::audit;
use crate::commands::Done;
use crate::error::{Error, Result};
use crate::words::{Locale, Words};

/// The words of forms, for answers without a page.
pub static WORDS: Locale = Locale::new(
    include_str!("../../../../assets/locales/zh-CN/forms.json"),
    include_str!("../../../../assets/locales/en/forms.json"),
);

/// Bytes read of a file before it is refused as too large.
const LARGEST_FILE: u64 = 4_000_001;

/// An error of the rules as one of the commands.
pub fn refused(error: FhirError) -> Error {
    let at = if error.link_id.is_empty() { "Questionnaire".to_owned() } else { error.link_id };
    Error::new(error.code).with("link_id", at).with("what", error.what)
}

/// What is wrong with an item of a response, in words.
pub fn fault_words(words: &Words, fault: &Fault) -> String {
    words.filled_from(&format!("response.{}", fault.code), &json!(fault.params))
}

/// Reads a file as JSON.
///
/// # Errors
/// `FileMissing`, `FileUnreadable`, `FhirTooLarge`, `FhirNotJson`.
pub fn read(path: &Path) -> Result<Value> {
    let mut bytes = Vec::new();
    let opened = File::open(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut bytes));
    opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::from(error),
        _ => Error::new(ErrorCode::FileUnreadable).caused_by(error),
    })?;
    fhir::parse(&String::from_utf8_lossy(&bytes)).map_err(refused)
}

/// Writes a whole file or none.
fn write(path: &str, value: &Value) -> Result<()> {
    if !path.to_lowercase().ends_with(".json") {
        return Err(Error::field("path", ErrorCode::NotAllowed));
    }
    let target = Path::new(path);
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::from(error),
        _ => Error::new(ErrorCode::FileUnwritable).caused_by(error),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    file.write_all(serde_json::to_string_pretty(value)?.as_bytes()).map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// Writes a plan or questionnaire as FHIR.
///
/// # Errors
/// `NotFound`, field `path` `NotAllowed`, `FileUnwritable`, `DiskFull`.
pub fn export(ctx: &Ctx, request: ExportRequest) -> Result<ExportResponse> {
    let (version, exported) = ctx.read(|connection| {
        let (version, _) = commands::find(connection, &request.code, request.version)?;
        let exported = match version.kind {
            Kind::Plan => export_plan(&catalog::read_plan(connection, &version)?),
            Kind::Questionnaire => export_form(&catalog::read_form(connection, &version)?),
        };
        Ok((version, exported.map_err(refused)?))
    })?;
    write(&request.path, &exported.questionnaire)?;
    ctx.audit("forms.export", Some(version.id), json!({ "code": version.code, "version": version.label }))?;
    Ok(ExportResponse { version, not_carried: exported.not_carried })
}

/// Reads a FHIR questionnaire as the next version of the one with its code, or as a new one. Where something was lost
/// and another version is in use, that one stays in use until somebody has looked.
///
/// # Errors
/// Those of [`read`], the `Fhir…` codes with the item, `FhirKindDiffers`, `Invalid` with a path per mistake of a plan.
pub fn import(ctx: &Ctx, request: ImportRequest) -> Result<ImportResponse> {
    let imported = fhir::import(&read(Path::new(&request.path))?).map_err(refused)?;
    let not_carried = imported.not_carried;
    let (code, name, kind) = match &imported.document {
        Document::Plan(plan) => (plan.code.clone(), plan.name.clone(), Kind::Plan),
        Document::Form(form) => (form.code.clone(), form.title.clone(), Kind::Questionnaire),
    };
    save::refuse(match &imported.document {
        Document::Plan(plan) => catalog::compile((**plan).clone()).err().unwrap_or_default(),
        Document::Form(form) => catalog::compile_form((**form).clone()).err().unwrap_or_default(),
    })?;
    ctx.write(|writer| {
        let before = store::versions_of(writer.connection(), &code)?;
        if before.iter().any(|version| version.kind != kind) {
            return Err(Error::new(ErrorCode::FhirKindDiffers).with("code", code.as_str()));
        }
        let enable = not_carried.is_empty() || !before.iter().any(|version| version.enabled);
        let version = match imported.document {
            Document::Plan(plan) => save::plan(ctx, writer, *plan, None, enable)?,
            Document::Form(form) => save::questionnaire(ctx, writer, *form, None, enable)?,
        };
        let detail = json!({ "code": code, "version": version.label, "not_carried": not_carried.len() });
        let user = ctx.user_id();
        audit::append(
            writer.connection(),
            writer.now_millis(),
            user,
            "forms.import",
            Some(version.id),
            &detail,
        )?;
        Ok(ImportResponse { version, name, new: before.is_empty(), not_carried })
    })
}

/// The compiled form of a draft.
fn compiled(draft: &TryRequest) -> Result<CompiledForm> {
    let compiled = if draft.questionnaire {
        catalog::compile_form(questionnaires::form_of(draft))
    } else {
        catalog::compile(draft.plan.clone()).map(|plan| plan.form().clone())
    };
    compiled.or_else(|problems| save::refuse(problems).and(Err(Error::new(ErrorCode::Invalid))))
}

/// Writes sample answers as FHIR.
///
/// # Errors
/// `Invalid` with a path per mistake of the draft, field `path` `NotAllowed`, `FileUnwritable`, `DiskFull`.
pub fn write_answers(ctx: &Ctx, request: AnswersWriteRequest) -> Result<Done> {
    let compiled = compiled(&request.draft)?;
    let authored = ctx.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let context = FormContext { age: request.draft.age, ..FormContext::default() };
    write(&request.path, &export_response(&compiled, &request.draft.answers, &context, Some(&authored)))?;
    Ok(Done {})
}

/// Reads sample answers from FHIR, or says what is wrong with them.
///
/// # Errors
/// `Invalid` with a path per mistake of the draft; those of [`read`]; the `Fhir…` codes.
pub fn read_answers(_: &Ctx, request: AnswersReadRequest) -> Result<AnswersReadResponse> {
    let compiled = compiled(&request.draft)?;
    let read = fhir::read_response(compiled.form(), &read(Path::new(&request.path))?).map_err(refused)?;
    Ok(match read {
        Ok(read) => AnswersReadResponse { answers: Some(read.answers), faults: Vec::new() },
        Err(faults) => AnswersReadResponse {
            answers: None,
            faults: faults
                .into_iter()
                .map(|fault| ResponseFault { link_id: fault.link_id, code: fault.code, params: fault.params })
                .collect(),
        },
    })
}
