//! Makes the window's context: configuration, capabilities, icons.

fn main() {
    // The embedding macro refuses a folder that is not there; checks of the Rust code need no built UI.
    let built = std::path::Path::new("../ui/dist");
    if !built.exists()
        && let Err(error) = std::fs::create_dir_all(built)
    {
        println!("cargo:warning=ui/dist cannot be made: {error}");
    }
    println!("cargo:rerun-if-changed=../ui/dist");
    tauri_build::build();
}
