//! The scenarios are embedded, so the crate is built again when one of them changes.

fn main() {
    println!("cargo::rerun-if-changed=../scenarios");
}
