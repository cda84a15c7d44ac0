//! kpki: the PKI and certificate lifecycle tool for Kubernetes. The modules and what each may import are described in
//! ARCHITECTURE.md and checked by `tests/architecture/`.
//!
//! The only public function is [`main`], so that the compiler finds unused code. The feature `internals` makes the modules public
//! for the tests, benchmarks, examples and fuzz targets of this project; it has no stability guarantee.

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
    handshake
    inventory
    keys
    kubeconfig
    live
    manifest
    parallel
    plan
    profile
    programs
    random
    report
    revocation
    run
    signals
    store
    tree
    verify
    workspace
    x509
}

pub use run::main;
