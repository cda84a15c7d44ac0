use std::process::ExitCode;

fn main() -> ExitCode {
    kpki::main()
}
