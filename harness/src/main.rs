//! The `urcheck` program: see the library.
fn main() -> std::process::ExitCode {
    urcheck::cli::main()
}
