use std::process::ExitCode;

#[cfg(target_env = "musl")]
use mimalloc::MiMalloc as Allocator;
#[cfg(not(target_env = "musl"))]
use std::alloc::System as Allocator;
use zeroizing_alloc::ZeroAlloc;

/// Memory is wiped when it is given back, also by the libraries that parse and pack keys.
#[global_allocator]
static WIPED: ZeroAlloc<Allocator> = ZeroAlloc(Allocator);

fn main() -> ExitCode {
    kpki::main()
}
