//! Java's own keystores, JKS and JCEKS: certificates in the clear, private keys locked each by itself, and a digest with the
//! password over all. Read only: Java has written PKCS#12 since version 9.

mod lock;
mod read;
#[cfg(test)]
mod tests;

pub use read::open;
