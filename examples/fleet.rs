//! Reads every tree below a directory and prints one line of figures: for `benches/fleet.sh`.

#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a measuring tool reads its own command line

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use kpki::inventory::{Reading, all, fleet, requests};

fn main() {
    let mut words = std::env::args_os().skip(1);
    let root = PathBuf::from(words.next().unwrap_or_default());
    let keep = words.next().is_some_and(|word| word == "keep");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let started = Instant::now();
    let found = requests(&root, None).unwrap_or_default();
    let listed = started.elapsed();
    let (certificates, others) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let count = |tree: &kpki::inventory::Tree| {
        for item in &tree.items {
            let counter = if matches!(item.reading, Reading::Certificate(_)) { &certificates } else { &others };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    };
    if keep {
        let trees = all(&found, threads, &mut |_, _| ()).unwrap_or_default();
        trees.iter().for_each(&count);
        print(found.len(), &certificates, &others, listed, started);
        std::mem::forget(trees);
    } else {
        let _ = fleet(&found, threads, &|_, tree| count(&tree), &mut |_, _| ());
        print(found.len(), &certificates, &others, listed, started);
    }
}

fn print(
    trees: usize,
    certificates: &AtomicUsize,
    others: &AtomicUsize,
    listed: std::time::Duration,
    started: Instant,
) {
    println!(
        "{trees} trees, {} certificates, {} other items; found in {listed:?}, all in {:?}",
        certificates.load(Ordering::Relaxed),
        others.load(Ordering::Relaxed),
        started.elapsed()
    );
}
