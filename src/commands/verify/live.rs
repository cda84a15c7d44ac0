//! `--live`: where the components are, what they serve, and what that means. All of a fleet is asked at once.

use super::read::{Found, read};
use super::request::{Live, Request};
use super::said::{Said, judge, nothing};
use crate::error::Error;
use crate::live::{Limits, Peer, look_at_all};
use crate::parallel::{self, Died};
use crate::signals;
use crate::verify::served::{self, Endpoints, UnknownEndpoint, compare};
use crate::verify::{Cluster, Verification};
use crate::workspace::Progress;

/// One target: read, with where its components are asked; or what is to be said without.
type Loaded<'t> = Result<(Cluster<'t>, Endpoints), Box<Verification>>;

pub fn run(units: &[Found<'_>], request: &Request, live: &Live, progress: Progress<'_>) -> Result<Vec<Said>, Error> {
    let one = |index: usize| units.get(index).map(|found| read(found, units.len() > 1, request.at));
    let all = parallel::map(units.len(), request.threads, one, |_| ()).map_err(died)?;
    if all.iter().filter(|one| one.is_ok()).count() > 1 && !live.given.is_empty() {
        return Err(Error::usage("--endpoint is for one tree, and several were given")
            .hint("give one tree with --dir, and run the command for each"));
    }
    let loaded: Vec<Loaded<'_>> = all.into_iter().map(|one| located(one, live)).collect::<Result<_, Error>>()?;
    let of_all = loaded.iter().flatten().flat_map(|(_, endpoints)| &endpoints.asked);
    let mut peers: Vec<Peer> = of_all.map(|endpoint| endpoint.peer.clone()).collect();
    peers.sort();
    peers.dedup();
    let limits = Limits { time: live.time, bytes: Limits::BYTES };
    let answers = look_at_all(&peers, limits, || signals::check().is_ok(), |done| progress(done, peers.len()));
    let answers = answers.map_err(died)?;
    signals::check()?;
    let answer = |peer: &Peer| peers.binary_search(peer).ok().and_then(|at| answers.get(at));
    let judged = |(cluster, endpoints): (Cluster<'_>, Endpoints)| {
        let asked = endpoints.asked.iter();
        let rows = asked.filter_map(|one| Some(compare(one, answer(&one.peer)?.as_ref(), &cluster))).collect();
        let live = served::Live { rows, skipped: endpoints.skipped, elsewhere: endpoints.elsewhere };
        judge(&cluster, request, Some(live))
    };
    Ok(loaded.into_iter().map(|one| one.map_or_else(|said| nothing(*said, request), judged)).collect())
}

fn located<'t>(read: Result<Cluster<'t>, Box<Verification>>, live: &Live) -> Result<Loaded<'t>, Error> {
    let cluster = match read {
        Ok(cluster) => cluster,
        Err(said) => return Ok(Err(said)),
    };
    let endpoints = served::endpoints(&cluster, &live.given, live.all).map_err(unknown)?;
    Ok(Ok((cluster, endpoints)))
}

fn unknown(UnknownEndpoint { id, known }: UnknownEndpoint) -> Error {
    Error::usage(format!("--endpoint {id}: nothing of this name is served by the components of this tree"))
        .hint(format!("give one of {}", known.join(", ")))
}

fn died(Died: Died) -> Error {
    Error::new("a thread ended before its work").hint("report this as a bug")
}
