//! The `.deb` packages: a staging folder each, packed by dpkg-deb. Dependencies are read from the programs.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::stage::{self, VERSION, filled, put, word, words};
use crate::Outcome;
use crate::process::{answer, cargo, program, root, run, target};
use crate::{setup, suite};

/// How to make the packages.
#[derive(Args, Default)]
pub struct Packing {
    /// From the development build: much larger and slower programs, but packages in a minute, to try the packing.
    #[arg(long)]
    dev: bool,
}

impl Packing {
    /// A program of the build that is packed.
    pub fn built(&self, name: &str) -> PathBuf {
        target().join(if self.dev { "debug" } else { "release" }).join(name)
    }

    /// Whether it is what hospitals get.
    pub fn is_release(&self) -> bool {
        !self.dev
    }
}

/// What a package is packed from.
pub struct Contents<'a> {
    /// The folder with the programs.
    pub programs: PathBuf,
    /// Their version.
    pub version: &'a str,
    /// Whether time counts more than size.
    pub quick: bool,
    /// Where the package is left.
    pub to: PathBuf,
}

/// Builds both programs and packs them; answers with the desk's package and the server's.
///
/// # Errors
/// When something does not build or cannot be packed.
pub fn make(options: &Packing) -> Outcome<[PathBuf; 2]> {
    setup::packaging()?;
    build(options)?;
    // A development build of half a gigabyte is not worth the time.
    let (programs, quick, to) = (options.built(""), options.dev, stage::folder());
    let contents = Contents { programs, version: VERSION, quick, to };
    Ok([desk(&contents)?, server(&contents)?])
}

/// Builds the programs.
///
/// # Errors
/// When they do not build.
pub fn build(options: &Packing) -> Outcome {
    suite::build_ui()?;
    let packages = ["-p", "aftercare", "-p", "aftercare-cli", "-p", "aftercare-server"];
    if options.dev {
        let programs = ["--bin", "aftercare", "--bin", "aftercare-cli", "--bin", "aftercare-server"];
        return run(cargo(&["build", "--locked"]).args(suite::ALL).args(programs));
    }
    run(cargo(&["build", "--locked", "--release"]).args(packages))
}

/// Packs the desk.
///
/// # Errors
/// When it cannot be packed.
pub fn desk(contents: &Contents<'_>) -> Outcome<PathBuf> {
    let tree = stage::folder().join("deb/desk/tree");
    stage::empty(&tree)?;
    put(&contents.programs.join("aftercare"), &tree.join("usr/bin/aftercare"), 0o755)?;
    put(&contents.programs.join("aftercare-cli"), &tree.join("usr/bin/aftercare-cli"), 0o755)?;
    let (chinese, english) = (words("zh-CN")?, words("en")?);
    let entry = filled(
        "installer/deb/desk/aftercare.desktop",
        &[
            ("NAME_ZH", word(&chinese, "name")),
            ("NAME_EN", word(&english, "name")),
            ("COMMENT_ZH", word(&chinese, "comment")),
            ("COMMENT_EN", word(&english, "comment")),
        ],
    )?;
    let entry_file = tree.join("usr/share/applications/cn.aftercare.desk.desktop");
    stage::write(entry.as_bytes(), &entry_file, 0o644)?;
    let icons = root().join("src-tauri/icons");
    let sizes = [
        ("32x32.png", "32x32"),
        ("128x128.png", "128x128"),
        ("128x128@2x.png", "256x256"),
        ("icon.png", "512x512"),
    ];
    for (file, size) in sizes {
        let to = tree.join(format!("usr/share/icons/hicolor/{size}/apps/aftercare.png"));
        put(&icons.join(file), &to, 0o644)?;
    }
    let drawn = tree.join("usr/share/icons/hicolor/scalable/apps/aftercare.svg");
    put(&root().join("assets/icons/aftercare.svg"), &drawn, 0o644)?;
    pack(contents, "desk", "aftercare", &tree, &["usr/bin/aftercare", "usr/bin/aftercare-cli"], &[])
}

fn server(contents: &Contents<'_>) -> Outcome<PathBuf> {
    let tree = stage::folder().join("deb/server/tree");
    stage::empty(&tree)?;
    put(&contents.programs.join("aftercare-server"), &tree.join("usr/bin/aftercare-server"), 0o755)?;
    let from = root().join("installer/server");
    put(
        &from.join("aftercare-server.service"),
        &tree.join("lib/systemd/system/aftercare-server.service"),
        0o644,
    )?;
    // It may come to hold the database's password.
    put(&from.join("aftercare-server.env"), &tree.join("etc/aftercare-server.env"), 0o600)?;
    let scripts = [("conffiles", 0o644), ("postinst", 0o755), ("prerm", 0o755), ("postrm", 0o755)];
    pack(contents, "server", "aftercare-server", &tree, &["usr/bin/aftercare-server"], &scripts)
}

/// Packs a tree with the control files of `installer/deb/{part}`.
fn pack(
    contents: &Contents<'_>,
    part: &str,
    package: &str,
    tree: &Path,
    programs: &[&str],
    scripts: &[(&str, u32)],
) -> Outcome<PathBuf> {
    let licence =
        format!("{package} {}\nCopyright: {}\nLicense: MIT\n", contents.version, stage::publisher()?);
    let about = tree.join("usr/share/doc").join(package).join("copyright");
    stage::write(licence.as_bytes(), &about, 0o644)?;
    let architecture = answer("dpkg", &["--print-architecture"]).unwrap_or_else(|| "amd64".into());
    let control = filled(
        &format!("installer/deb/{part}/control"),
        &[
            ("VERSION", contents.version),
            ("ARCHITECTURE", architecture.trim()),
            ("PUBLISHER", &stage::publisher()?),
            ("SIZE", &stage::size(tree).div_ceil(1024).to_string()),
            ("DEPENDS", &dependencies(tree, programs)?),
        ],
    )?;
    stage::write(control.as_bytes(), &tree.join("DEBIAN/control"), 0o644)?;
    for (script, mode) in scripts {
        let from = root().join("installer/deb").join(part).join(script);
        put(&from, &tree.join("DEBIAN").join(script), *mode)?;
    }
    let file = contents.to.join(format!("{package}_{}_{}.deb", contents.version, architecture.trim()));
    let packing = if contents.quick { "-Znone" } else { "-Zxz" };
    let mut build = program("dpkg-deb", &["--build", "--root-owner-group", packing]);
    run(build.arg(tree).arg(&file))?;
    Ok(file)
}

/// The packages whose libraries the programs are linked with, as Debian's own tool reads them.
fn dependencies(tree: &Path, programs: &[&str]) -> Outcome<String> {
    // The tool insists on a source package around it.
    let around = tree.join("../source");
    stage::empty(&around)?;
    stage::write(
        b"Source: aftercare\n\nPackage: aftercare\nArchitecture: any\n",
        &around.join("debian/control"),
        0o644,
    )?;
    let mut ask = program("dpkg-shlibdeps", &["-O"]);
    ask.args(programs.iter().map(|name| tree.join(name)));
    let said = ask.current_dir(&around).output().map_err(|error| format!("dpkg-shlibdeps: {error}"))?;
    let _ = fs::remove_dir_all(&around);
    let text = String::from_utf8_lossy(&said.stdout);
    let found = text.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    found
        .map(str::to_owned)
        .ok_or_else(|| format!("dpkg-shlibdeps found nothing: {}", String::from_utf8_lossy(&said.stderr)))
}
