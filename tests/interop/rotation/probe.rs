//! Clients that ask all the time, each request on a connection of its own, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wire::{Answer, Credential, Failure, ask};
use crate::support::within;

/// Each client asks each server this often, so that every server is asked far more often than ten times in a second.
const PACE: Duration = Duration::from_millis(80);
/// Of those who are the only clients of a server: of etcd's members, and of the kubelets.
const PACE_ALONE: Duration = Duration::from_millis(30);
/// Answers to each of them before something is said to hold.
const ENOUGH: usize = 15;
/// A server that was restarted, and who waits for it, are given this time.
const GRACE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// admin.conf as it is now.
    Operator,
    /// The credential from before the switch, with the bundle from after *prepare*.
    Straggler,
    /// kubelet.conf of the worker, as it was at the kubelet's start; the same of the others on a control-plane node.
    Kubelet,
    ControllerManager,
    Scheduler,
    /// A pod with its token, and kube-root-ca.crt as it read it at its start.
    Pod,
    /// A token from before the rotation.
    OldToken,
    /// A backup job with the pair on its node as it is now.
    EtcdClient,
    /// One with the pair from before the switch.
    StaleEtcdClient,
    /// `kubectl logs`: the API server reaches the kubelets.
    Logs,
    /// The API server reaches an extension API server.
    Aggregated,
}

impl Who {
    const ALL: [Self; 11] = [
        Self::Operator,
        Self::Straggler,
        Self::Kubelet,
        Self::ControllerManager,
        Self::Scheduler,
        Self::Pod,
        Self::OldToken,
        Self::EtcdClient,
        Self::StaleEtcdClient,
        Self::Logs,
        Self::Aggregated,
    ];

    pub const fn asks_etcd(self) -> bool {
        matches!(self, Self::EtcdClient | Self::StaleEtcdClient)
    }
}

pub type Source = Arc<dyn Fn() -> Credential + Send + Sync>;

#[derive(Debug, Default, Clone)]
pub struct Counts {
    pub answered: usize,
    /// Refused by one side of a handshake, wherever on the way of the request.
    pub tls: usize,
    pub unauthorized: usize,
    /// Of a server that was being restarted, counted apart.
    pub unreachable: usize,
    /// Of a server that waits for another one, counted apart.
    pub not_ready: usize,
    /// No server was being restarted.
    pub other: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} answered, {} TLS, {} 401, {} other; not counted: {} unreachable, {} not ready",
            self.answered, self.tls, self.unauthorized, self.other, self.unreachable, self.not_ready
        )
    }
}

impl Counts {
    pub const fn failures(&self) -> usize {
        self.tls + self.unauthorized + self.other
    }
}

struct Window {
    server: SocketAddr,
    ended: Option<Instant>,
}

/// What clients and the one who drives them share.
#[derive(Default)]
struct Board {
    /// Held while somebody asks: who is gone has no request under way.
    sources: RwLock<BTreeMap<Who, Source>>,
    counts: Mutex<BTreeMap<(Who, SocketAddr), Counts>>,
    samples: Mutex<Vec<String>>,
    /// Whose kubelets are asked for logs.
    nodes: Mutex<Vec<&'static str>>,
    windows: Mutex<Vec<Window>>,
    stop: AtomicBool,
    /// Connections to each server from the beginning on.
    asked: Mutex<BTreeMap<SocketAddr, usize>>,
}

impl Board {
    fn excused(&self, began: Instant, server: Option<SocketAddr>) -> bool {
        let windows = self.windows.lock().unwrap();
        windows.iter().any(|window| {
            server.is_none_or(|server| server == window.server)
                && window.ended.is_none_or(|ended| ended + GRACE > began)
        })
    }

    fn count(&self, who: Who, at: SocketAddr, began: Instant, got: &Result<Answer, Failure>) {
        let mut counts = self.counts.lock().unwrap();
        let counts = counts.entry((who, at)).or_default();
        let sample = match got {
            Ok(Answer { status: 200..300, .. }) => {
                counts.answered += 1;
                return;
            }
            Ok(Answer { status: 401, .. }) => {
                counts.unauthorized += 1;
                "401".to_owned()
            }
            Ok(Answer { body, .. }) if ["tls:", "x509:"].iter().any(|word| body.contains(word)) => {
                counts.tls += 1;
                body.clone()
            }
            Err(Failure::Tls(why)) => {
                counts.tls += 1;
                why.clone()
            }
            // An etcd whose members wait for the disk says so as well.
            Ok(Answer { status: 503, .. }) => {
                counts.not_ready += 1;
                return;
            }
            Ok(Answer { status: 403 | 500, .. }) if self.excused(began, None) => {
                counts.not_ready += 1;
                return;
            }
            Err(Failure::Connection(_)) if self.excused(began, Some(at)) => {
                counts.unreachable += 1;
                return;
            }
            other => {
                counts.other += 1;
                format!("{other:?}")
            }
        };
        self.samples.lock().unwrap().push(format!("{who:?} at {at}: {sample}"));
    }

    fn words(&self, who: Who, number: usize) -> String {
        match who {
            Who::EtcdClient | Who::StaleEtcdClient => "GET /health".to_owned(),
            Who::Aggregated => "GET /apis/example.com/v1/things".to_owned(),
            Who::Logs => {
                let nodes = self.nodes.lock().unwrap();
                format!("GET /api/v1/namespaces/default/pods/{}/log", nodes[number % nodes.len()])
            }
            _ => "GET /api/v1/namespaces/default".to_owned(),
        }
    }

    fn client(&self, who: Who, at: SocketAddr) {
        let mut number = 0;
        while !self.stop.load(Ordering::SeqCst) {
            let began = Instant::now();
            if let Some(source) = self.sources.read().unwrap().get(&who) {
                let got = ask(at, &source(), &self.words(who, number), "", "");
                self.count(who, at, began, &got);
                *self.asked.lock().unwrap().entry(at).or_default() += 1;
                number += 1;
            }
            let pace = if who == Who::Logs || who.asks_etcd() { PACE_ALONE } else { PACE };
            std::thread::sleep(pace.saturating_sub(began.elapsed()));
        }
    }
}

/// All clients, until this is dropped.
pub struct Probe {
    began: Instant,
    board: Arc<Board>,
    clients: Vec<JoinHandle<()>>,
}

impl Probe {
    /// Nobody asks before it has a credential.
    pub fn start(apis: &[SocketAddr], etcd: &[SocketAddr]) -> Self {
        let board = Arc::new(Board::default());
        let mut clients = Vec::new();
        for who in Who::ALL {
            for at in if who.asks_etcd() { etcd } else { apis }.iter().copied() {
                let board = Arc::clone(&board);
                clients.push(std::thread::spawn(move || board.client(who, at)));
            }
        }
        Self { began: Instant::now(), board, clients }
    }

    /// The kubelet of a node is there.
    pub fn node(&self, node: &'static str) {
        self.board.nodes.lock().unwrap().push(node);
    }

    /// From now on it asks with this.
    pub fn set(&self, who: Who, source: impl Fn() -> Credential + Send + Sync + 'static) {
        self.board.sources.write().unwrap().insert(who, Arc::new(source));
    }

    /// There is nobody any more who asks so.
    pub fn gone(&self, who: Who) {
        self.board.sources.write().unwrap().remove(&who);
    }

    /// A server is not there while this is done.
    pub fn restarting<T>(&self, server: SocketAddr, done: impl FnOnce() -> T) -> T {
        self.board.windows.lock().unwrap().push(Window { server, ended: None });
        let done = done();
        let mut windows = self.board.windows.lock().unwrap();
        windows.iter_mut().filter(|one| one.server == server && one.ended.is_none()).for_each(|one| {
            one.ended = Some(Instant::now());
        });
        done
    }

    /// Everything so far, of all servers together; it begins anew.
    pub fn take(&self) -> (BTreeMap<Who, Counts>, Vec<String>) {
        let mut sums: BTreeMap<Who, Counts> = BTreeMap::new();
        for ((who, _), counts) in std::mem::take(&mut *self.board.counts.lock().unwrap()) {
            let sum = sums.entry(who).or_default();
            sum.answered += counts.answered;
            sum.tls += counts.tls;
            sum.unauthorized += counts.unauthorized;
            sum.unreachable += counts.unreachable;
            sum.not_ready += counts.not_ready;
            sum.other += counts.other;
        }
        (sums, std::mem::take(&mut *self.board.samples.lock().unwrap()))
    }

    /// What was seen since the last look, once everybody who has a credential has been answered a few times more: no failure.
    #[track_caller]
    pub fn expect_none(&self, phase: &str) {
        let began: BTreeMap<Who, usize> = self.answered();
        let asking: Vec<Who> = self.board.sources.read().unwrap().keys().copied().collect();
        let enough = |who: &Who| {
            let of = |counts: &BTreeMap<Who, usize>| counts.get(who).copied().unwrap_or(0);
            of(&self.answered()) >= of(&began) + ENOUGH
        };
        let answered = within(Duration::from_secs(120), || asking.iter().all(enough) || self.failures() > 0);
        let (counts, samples) = self.take();
        let said: Vec<_> = counts.iter().map(|(who, counts)| format!("  {who:?}: {counts}")).collect();
        eprintln!("{phase}\n{}", said.join("\n"));
        let failures: usize = counts.values().map(Counts::failures).sum();
        assert_eq!(failures, 0, "{phase}: {:#?}", samples.iter().take(20).collect::<Vec<_>>());
        assert!(answered, "{phase}: somebody is not answered");
    }

    fn answered(&self) -> BTreeMap<Who, usize> {
        let mut sums = BTreeMap::new();
        for ((who, _), counts) in &*self.board.counts.lock().unwrap() {
            *sums.entry(*who).or_default() += counts.answered;
        }
        sums
    }

    fn failures(&self) -> usize {
        self.board.counts.lock().unwrap().values().map(Counts::failures).sum()
    }
}

impl Probe {
    /// Every server was asked at least ten times in a second, all the time.
    #[track_caller]
    pub fn expect_pace(&self) {
        let asked = self.board.asked.lock().unwrap();
        let seconds = self.began.elapsed().as_secs_f64();
        for (server, asked) in &*asked {
            eprintln!("{server}: {asked} connections in {seconds:.0} s");
            assert!(f64::from(u32::try_from(*asked).unwrap()) >= 10.0 * seconds, "{server}: {asked} in {seconds} s");
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.board.stop.store(true, Ordering::SeqCst);
        for client in self.clients.drain(..) {
            let ended = client.join();
            if ended.is_err() && !std::thread::panicking() {
                panic!("a client has panicked");
            }
        }
    }
}
