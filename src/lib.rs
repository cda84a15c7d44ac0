//! kpki: the PKI and certificate lifecycle tool for Kubernetes. The rooms and what each may import are described in
//! ARCHITECTURE.md and checked by `tests/architecture/`.
//!
//! The public face is [`main`] alone, so that the compiler finds code that nothing uses. The feature `internals` opens the rooms
//! to the project's own tests, benchmarks, examples and fuzz targets; it promises nothing to anybody else.

macro_rules! rooms {
    ($($room:ident)*) => {
        $(
            #[cfg(feature = "internals")]
            #[doc(hidden)]
            pub mod $room;
            #[cfg(not(feature = "internals"))]
            mod $room;
        )*
    };
}

rooms! {
    audit
    blueprint
    ca
    catalog
    cli
    clock
    commands
    encoding
    encrypted
    error
    files
    hooks
    inventory
    kubeconfig
    parallel
    plan
    profile
    report
    revocation
    run
    store
    tree
    workspace
    x509
}

pub use run::main;
