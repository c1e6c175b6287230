//! The command line's commands: each reads, does one thing, and says so in words or in JSON.

use std::path::Path;

use aftercare_rehearsal::point;
use aftercare_sync::updates::{Manifest, PLATFORMS};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{App, Env};
use crate::args::{
    Args, AuditCommand, CodeCommand, Command, DeviceCommand, QuarantineCommand, ServiceCommand, SiteCommand,
    TenantCommand, UpdateCommand, UsbCommand, UserCommand,
};
use crate::authority::write_new;
use crate::backup;
use crate::erased;
use crate::failure::Failure;
use crate::leave;
use crate::office::{self, people};
use crate::service;
use crate::staff;
use crate::start::{make_home, open, open_restored};
use crate::stick;
use crate::store::postgres::{self, Postgres};
use crate::store::{AuditEntry, DeviceStatus, Quota, SERVER, first_broken};
use crate::updates;
use crate::words::Words;

/// Whoever sits at the server's own command line.
const CONSOLE: Uuid = Uuid::nil();
/// Lines and records of a page.
const PAGE: usize = 1000;

/// What a command says: words for people, the same as JSON for scripts.
pub struct Said {
    /// For people.
    pub text: String,
    /// For scripts.
    pub json: Value,
}

/// Does a command.
///
/// # Errors
/// Its own.
pub async fn run(args: &Args, command: &Command, env: Env, words: &Words) -> Result<Said, Failure> {
    match command {
        Command::Verify { from } => return Ok(verified(&backup::verify(from)?, words)),
        Command::Restore { from } => return restore(args, from, env, words).await,
        Command::Updates(command) => return update(args, command, words),
        Command::Service(ServiceCommand::Install) => return service::install(args, words).await,
        Command::Service(ServiceCommand::Uninstall) => return service::uninstall(words),
        _ => {}
    }
    if let Command::Backup { to, off_host } = command {
        return back_up(args, to, *off_host, env, words).await;
    }
    let app = open(args, env).await?;
    match command {
        Command::Code(command) => code(&app, command, words).await,
        Command::Tenants(command) => tenants(&app, command, words).await,
        Command::Sites(command) => sites(&app, command, words).await,
        Command::Devices(command) => devices(&app, command, words).await,
        Command::Users(command) => users(&app, command, words).await,
        Command::Quarantine(command) => quarantine(&app, command, words).await,
        Command::Usb(UsbCommand::Answer { from, to }) => usb(&app, from, to, words).await,
        Command::Audit(AuditCommand::Verify) => audit(&app, words).await,
        Command::NewEpoch => new_epochs(&app, words).await,
        Command::Backup { .. }
        | Command::Verify { .. }
        | Command::Restore { .. }
        | Command::Service(_)
        | Command::Updates(_) => Err(Failure::new("not_found", "command")),
    }
}

fn done(words: &Words, key: &str, params: &[(&str, &str)], json: Value) -> Said {
    Said { text: words.text(key, params), json }
}

fn list(lines: impl Iterator<Item = String>, json: Value) -> Said {
    Said { text: lines.collect::<Vec<_>>().join("\n"), json }
}

async fn usb(app: &App, from: &Path, to: &Path, words: &Words) -> Result<Said, Failure> {
    let mut file = std::fs::File::open(from).map_err(Failure::file(from))?;
    write_new(to, b"", 0o600).map_err(Failure::file(to))?;
    let mut answer = std::fs::File::options().write(true).open(to).map_err(Failure::file(to))?;
    let exchanged = stick::exchange(app, None, CONSOLE, &mut file, &mut answer).await;
    let synced = answer.sync_all().map_err(Failure::file(to));
    let done_with = match (exchanged, synced) {
        (Ok(exchanged), Ok(())) => exchanged,
        (Err(failure), _) | (_, Err(failure)) => {
            // Half an answer is none.
            std::fs::remove_file(to).map_err(Failure::file(to))?;
            return Err(failure);
        }
    };
    let key = if done_with.again { "stick_again" } else { "stick_answered" };
    let (taken, changes) = (done_with.taken.to_string(), done_with.changes.to_string());
    let place = to.display().to_string();
    let params =
        [("name", done_with.name.as_str()), ("taken", &taken), ("changes", &changes), ("file", &place)];
    Ok(done(words, key, &params, json!(done_with)))
}

async fn code(app: &App, command: &CodeCommand, words: &Words) -> Result<Said, Failure> {
    let CodeCommand::New { hospital, sites, history } = command;
    let tenant = office::hospital(app, hospital.hospital_word.as_deref()).await?;
    let made = office::make_code(app, tenant.id, CONSOLE, sites, *history).await?;
    let said = [
        ("code", made.code.as_str()),
        ("hospital", &tenant.name),
        ("fingerprint", &made.fingerprint),
        ("fingerprint_words", &made.fingerprint_words),
    ];
    Ok(done(words, "code_made", &said, json!(made)))
}

async fn tenants(app: &App, command: &TenantCommand, words: &Words) -> Result<Said, Failure> {
    let find = async |word: &str| office::hospital(app, Some(word)).await;
    match command {
        TenantCommand::List => {
            let (mut lines, mut all) = (Vec::new(), Vec::new());
            for tenant in app.store.tenants().await? {
                let usage = app.store.usage(tenant.id).await?;
                let state = words.text(if tenant.closed { "closed" } else { "open" }, &[]);
                lines.push(format!(
                    "{}  {}  {state}  {} / {} B / {}",
                    tenant.word, tenant.name, usage.devices, usage.bytes, usage.records
                ));
                all.push(json!({
                    "id": tenant.id, "word": tenant.word, "name": tenant.name, "closed": tenant.closed,
                    "devices": usage.devices, "bytes": usage.bytes, "records": usage.records,
                }));
            }
            Ok(list(lines.into_iter(), Value::Array(all)))
        }
        TenantCommand::Add { word, name, most_devices, most_bytes } => {
            let quota = Quota { devices: *most_devices, bytes: *most_bytes };
            let id = office::add_hospital(app, CONSOLE, word, name, quota).await?;
            Ok(done(words, "hospital_added", &[("word", word), ("name", name)], json!({ "id": id })))
        }
        TenantCommand::Export { word, to } => {
            let tenant = find(word).await?;
            let taken = leave::write(app, tenant.id, to).await?;
            app.audit_server(CONSOLE, "hospital_exported", tenant.id).await?;
            let params = [
                ("records", taken.records.to_string()),
                ("ops", taken.ops.to_string()),
                ("attachments", taken.attachments.to_string()),
                ("file", to.display().to_string()),
            ];
            let params = params.each_ref().map(|(name, value)| (*name, value.as_str()));
            Ok(done(words, "exported", &params, json!(taken)))
        }
        TenantCommand::Close { word } => {
            office::set_closed(app, CONSOLE, find(word).await?.id, true).await?;
            Ok(done(words, "hospital_closed", &[("word", word)], json!({ "closed": true })))
        }
        TenantCommand::Open { word } => {
            office::set_closed(app, CONSOLE, find(word).await?.id, false).await?;
            Ok(done(words, "hospital_opened", &[("word", word)], json!({ "closed": false })))
        }
        TenantCommand::Delete { word, confirm_name } => {
            let tenant = find(word).await?;
            if tenant.name != *confirm_name {
                return Err(Failure::new("name_differs", &tenant.name));
            }
            app.store.delete_tenant(tenant.id).await?;
            app.audit_server(CONSOLE, "hospital_deleted", tenant.id).await?;
            Ok(done(words, "hospital_deleted", &[("word", word)], json!({ "deleted": true })))
        }
    }
}

async fn sites(app: &App, command: &SiteCommand, words: &Words) -> Result<Said, Failure> {
    let of = async |hospital: &crate::args::Hospital| {
        office::hospital(app, hospital.hospital_word.as_deref()).await.map(|tenant| tenant.id)
    };
    match command {
        SiteCommand::List { hospital } => {
            let sites = staff::sites(app, of(hospital).await?).await?;
            let lines = sites.iter().map(|site| format!("{}  {}", site.id, site.name));
            let json = sites.iter().map(|site| json!({"id": site.id, "name": site.name}));
            Ok(list(lines, Value::Array(json.collect())))
        }
        SiteCommand::Add { name, hospital } => {
            let id = office::add_site(app, of(hospital).await?, CONSOLE, name).await?;
            Ok(done(words, "site_added", &[("name", name)], json!({ "id": id })))
        }
        SiteCommand::Rename { site, name, hospital } => {
            let id = office::rename_site(app, of(hospital).await?, CONSOLE, site, name).await?;
            Ok(done(words, "site_renamed", &[("name", name)], json!({ "id": id })))
        }
    }
}

async fn devices(app: &App, command: &DeviceCommand, words: &Words) -> Result<Said, Failure> {
    let (device, status, key) = match command {
        DeviceCommand::List { hospital } => {
            let tenant = office::hospital(app, hospital.hospital_word.as_deref()).await?;
            let all = office::devices(app, tenant.id).await?;
            let line = |device: &office::DeviceLine| {
                let seen = device.last_contact_at.map_or_else(|| "-".to_owned(), instant);
                format!(
                    "{}  {}  {}  {}  {seen}",
                    device.id,
                    device.name,
                    device.status,
                    device.sites.join("、")
                )
            };
            return Ok(list(all.iter().map(line), json!(all)));
        }
        DeviceCommand::Sites { device, sites } => {
            let tenant = office::tenant_of(app, *device).await?;
            office::set_device_sites(app, tenant, CONSOLE, *device, sites).await?;
            return Ok(done(words, "device_sites", &[], json!({ "device": device })));
        }
        DeviceCommand::Revoke { device } => (device, DeviceStatus::Revoked, "device_revoked"),
        DeviceCommand::Wipe { device } => (device, DeviceStatus::Wipe, "device_wipe"),
        DeviceCommand::Admit { device } => (device, DeviceStatus::Active, "device_admitted"),
    };
    let tenant = office::tenant_of(app, *device).await?;
    office::set_device(app, tenant, CONSOLE, *device, status).await?;
    Ok(done(words, key, &[], json!({ "device": device, "status": status.as_str() })))
}

async fn users(app: &App, command: &UserCommand, words: &Words) -> Result<Said, Failure> {
    let of = async |hospital: &crate::args::Hospital, server: bool| {
        if server {
            Ok(SERVER)
        } else {
            office::hospital(app, hospital.hospital_word.as_deref()).await.map(|t| t.id)
        }
    };
    match command {
        UserCommand::List { hospital, server } => {
            let users = app.store.users(of(hospital, *server).await?).await?;
            let lines = users.iter().map(|user| {
                let state = words.text(if user.active { "open" } else { "closed" }, &[]);
                format!("{}  {}  {state}", user.login, user.name)
            });
            let json =
                users.iter().map(|user| json!({"id": user.id, "login": user.login, "active": user.active}));
            Ok(list(lines, Value::Array(json.collect())))
        }
        UserCommand::Add { login, name } => {
            let password = people::add_administrator(app, CONSOLE, login, name).await?;
            let params = [("login", login.as_str()), ("password", &password)];
            Ok(done(words, "administrator_added", &params, json!({ "password": password })))
        }
        UserCommand::Appoint { login, hospital } => {
            people::appoint(app, of(hospital, false).await?, CONSOLE, login).await?;
            Ok(done(words, "administrator_appointed", &[("login", login)], json!({ "login": login })))
        }
        UserCommand::Reset { login, hospital, server } => {
            let tenant = of(hospital, *server).await?;
            let password = people::reset_password(app, tenant, CONSOLE, login).await?;
            let params = [("login", login.as_str()), ("password", &password)];
            Ok(done(words, "password_reset", &params, json!({ "password": password })))
        }
        UserCommand::Disable { login, hospital, server } => {
            people::disable(app, of(hospital, *server).await?, CONSOLE, login).await?;
            Ok(done(words, "user_disabled", &[("login", login)], json!({ "login": login })))
        }
    }
}

async fn quarantine(app: &App, command: &QuarantineCommand, words: &Words) -> Result<Said, Failure> {
    let (number, hospital, counts) = match command {
        QuarantineCommand::List { hospital } => {
            let tenant = office::hospital(app, hospital.hospital_word.as_deref()).await?;
            let waiting = office::waiting(app, tenant.id).await?;
            let line = |each: &office::WaitingLine| {
                let fields = each.fields.join(", ");
                format!("{}  {}  {} {}  {fields}", each.number, instant(each.at), each.entity, each.record)
            };
            return Ok(list(waiting.iter().map(line), json!(waiting)));
        }
        QuarantineCommand::Release { number, hospital } => (*number, hospital, true),
        QuarantineCommand::Reject { number, hospital } => (*number, hospital, false),
    };
    let tenant = office::hospital(app, hospital.hospital_word.as_deref()).await?;
    office::decide(app, tenant.id, CONSOLE, number, counts).await?;
    let key = if counts { "change_released" } else { "change_rejected" };
    Ok(done(words, key, &[("number", &number.to_string())], json!({ "number": number })))
}

async fn audit(app: &App, words: &Words) -> Result<Said, Failure> {
    let mut tenants = vec![(SERVER, "server".to_owned())];
    tenants.extend(app.store.tenants().await?.into_iter().map(|tenant| (tenant.id, tenant.word)));
    let (mut lines, mut all) = (Vec::new(), Vec::new());
    for (tenant, word) in tenants {
        let (count, broken) = check_trail(app, tenant).await?;
        let (entries, at) = (count.to_string(), broken.unwrap_or(0).to_string());
        let key = if broken.is_some() { "trail_broken" } else { "trail_whole" };
        lines.push(words.text(key, &[("hospital", &word), ("entries", &entries), ("at", &at)]));
        all.push(json!({ "hospital": word, "entries": count, "broken_at": broken }));
    }
    Ok(list(lines.into_iter(), Value::Array(all)))
}

fn update(args: &Args, command: &UpdateCommand, words: &Words) -> Result<Said, Failure> {
    let about = |key: &str, manifest: &Manifest, public: &str| {
        let params =
            [("version", manifest.version.as_str()), ("platform", &manifest.platform), ("key", public)];
        done(words, key, &params, json!({ "manifest": manifest, "key": public }))
    };
    match command {
        UpdateCommand::Add { file } => Ok(about("update_added", &updates::add(&args.home, file)?, "")),
        UpdateCommand::List => {
            let all: Vec<Manifest> = PLATFORMS
                .iter()
                .flat_map(|name| updates::offers(&args.home, name))
                .map(|(_, each)| each)
                .collect();
            let line = |each: &Manifest| format!("{}  {}  {}", each.platform, each.version, each.file);
            Ok(list(all.iter().map(line), json!(all)))
        }
        UpdateCommand::Remove { platform, version } => {
            updates::remove(&args.home, platform, version)?;
            let params = [("version", version.as_str()), ("platform", platform)];
            Ok(done(words, "update_removed", &params, json!({ "version": version, "platform": platform })))
        }
        UpdateCommand::Key { file } => {
            let public = updates::new_key(file)?;
            let params = [("key", public.as_str()), ("file", &file.display().to_string())];
            Ok(done(words, "update_key_made", &params, json!({ "key": public })))
        }
        UpdateCommand::Sign { file, key, release, platform, notes_zh, notes_en } => {
            let release = updates::Release { version: release, platform, notes_zh, notes_en };
            let (manifest, public) = updates::sign(file, key, &release)?;
            Ok(about("update_signed", &manifest, &public))
        }
    }
}

/// How many lines a trail has, and the first that does not follow from the one before it.
///
/// # Errors
/// The store's.
pub async fn check_trail(app: &App, tenant: Uuid) -> Result<(i64, Option<i64>), Failure> {
    let (mut number, mut hash): (i64, Vec<u8>) = (0, Vec::new());
    loop {
        let entries: Vec<AuditEntry> = app.store.audit_lines(tenant, number, PAGE).await?;
        let broken = first_broken((number, &hash), &entries);
        let Some(last) = entries.last() else {
            return Ok((number, None));
        };
        if broken.is_some() {
            return Ok((last.number, broken));
        }
        (number, hash) = (last.number, last.hash.clone());
    }
}

fn verified(manifest: &backup::Manifest, words: &Words) -> Said {
    let (files, made) = (manifest.files.len().to_string(), instant(manifest.made_at));
    done(words, "backup_sound", &[("files", &files), ("at", &made)], json!(manifest))
}

async fn back_up(args: &Args, to: &Path, off_host: bool, env: Env, words: &Words) -> Result<Said, Failure> {
    let manifest = match &args.database {
        Some(url) => {
            let store = Postgres::open(url, 1).await?;
            backup::write_postgres(&store, &args.home, to, (env.now)()).await?
        }
        None => backup::write(&args.home, to, (env.now)())?,
    };
    let app = open(args, env).await?;
    erased::keep(&app).await?;
    for covered in manifest.hospitals.iter().filter(|_| off_host) {
        app.store.set_durable_seq(covered.tenant, covered.head).await?;
    }
    app.audit_server(CONSOLE, if off_host { "backup_off_host" } else { "backup" }, CONSOLE).await?;
    let key = if off_host { "backup_off_host" } else { "backup_done" };
    Ok(done(words, key, &[("folder", &to.display().to_string())], json!(manifest)))
}

async fn restore(args: &Args, from: &Path, env: Env, words: &Words) -> Result<Said, Failure> {
    if let Some(url) = &args.database {
        make_home(&args.home)?;
        if let Some(owner) = &args.database_owner {
            postgres::migrate(owner, &postgres::role_of(url)?).await?;
        }
        let store = Postgres::open(url, 1).await?;
        let epochs = backup::restore_postgres(&store, from, &args.home, (env.now)() / 1000).await?;
        let app = open(args, env).await?;
        app.audit_server(CONSOLE, "epoch_begun", CONSOLE).await?;
        let all = epochs.iter().map(|(tenant, epoch)| json!({ "hospital": tenant, "epoch": epoch }));
        return begun(&app, all.collect(), words).await;
    }
    backup::restore(from, &args.home)?;
    let app = open_restored(args, env).await?;
    let said = new_epochs(&app, words).await?;
    backup::finish_restore(&args.home)?;
    Ok(said)
}

/// A restored copy does not know what epochs there were after it was taken; the time is later than
/// all of them.
async fn new_epochs(app: &App, words: &Words) -> Result<Said, Failure> {
    let mut all = Vec::new();
    for tenant in app.store.tenants().await? {
        let epoch = app.store.begin_epoch(tenant.id, app.now() / 1000).await?;
        all.push(json!({ "hospital": tenant.word, "epoch": epoch }));
        point("server.restore.epoch");
    }
    app.audit_server(CONSOLE, "epoch_begun", CONSOLE).await?;
    begun(app, all, words).await
}

/// Says that epochs have begun, after taking out again whom the backup brought back though they had been erased.
async fn begun(app: &App, epochs: Vec<Value>, words: &Words) -> Result<Said, Failure> {
    let repeated = erased::repeat(app).await?;
    let hospitals = epochs.len().to_string();
    let mut said = done(words, "epoch_begun", &[("hospitals", &hospitals)], Value::Array(epochs));
    if repeated > 0 {
        said.text.push('\n');
        said.text.push_str(&words.text("erasures_repeated", &[("patients", &repeated.to_string())]));
    }
    Ok(said)
}

/// An instant as people and scripts read it, UTC.
fn instant(millis: i64) -> String {
    let moment = time::OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(millis);
    let (date, clock) = (moment.date(), moment.time());
    format!("{date} {:02}:{:02}Z", clock.hour(), clock.minute())
}
