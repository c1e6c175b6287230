//! Build script of the command line and of the server: version, icon and publisher in the Windows executable.

fn main() {
    println!("cargo:rerun-if-changed=../../installer/windows/executable.rs");
    if std::env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return;
    }
    let mut resource = tauri_winres::WindowsResource::new();
    resource
        .set("ProductName", "随访台 Aftercare")
        .set("FileDescription", env!("CARGO_PKG_DESCRIPTION"))
        .set("CompanyName", env!("CARGO_PKG_AUTHORS"))
        .set("LegalCopyright", concat!(env!("CARGO_PKG_AUTHORS"), ", ", env!("CARGO_PKG_LICENSE")))
        .set_icon("../../src-tauri/icons/icon.ico");
    if let Err(error) = resource.compile() {
        println!("cargo:warning=the executable gets no version: {error}");
    }
}
