//! What stands above the clusters: how many are in which state, what to do, what is most urgent.

use std::collections::BTreeMap;
use std::io;

use super::parts::{Out, class};
use super::{tables, timeline};
use crate::audit::{Counts, State};
use crate::report::check::clusters::Cluster;
use crate::report::check::result::Check;
use crate::report::check::{advice, cells, ends, notes, steps};
use crate::report::xml::Xml;

/// How many certificates are most urgent, without `--top`.
const URGENT: usize = 20;

pub fn write(check: &Check, clusters: &[Cluster<'_>], out: Out<'_>) -> io::Result<()> {
    let has_advice = !check.advice.is_empty();
    writeln!(out, "<nav aria-label=\"Parts of this page\"><ul><li><a href=\"#summary\">Summary</a></li>")?;
    if has_advice {
        writeln!(out, "<li><a href=\"#todo\">What to do</a></li>")?;
    }
    writeln!(
        out,
        "<li><a href=\"#urgent\">Most urgent</a></li><li><a href=\"#clusters\">Clusters</a></li></ul></nav>\n<main>"
    )?;
    summary(check, clusters, out)?;
    if has_advice {
        to_do(check, out)?;
    }
    urgent(check, clusters, out)
}

fn summary(check: &Check, clusters: &[Cluster<'_>], out: Out<'_>) -> io::Result<()> {
    writeln!(out, "<section id=\"summary\" aria-labelledby=\"h-summary\"><h2 id=\"h-summary\">Summary</h2>")?;
    counts("Certificates", &check.verdict.counts, out)?;
    if clusters.len() > 1 {
        counts("Clusters", &clusters.iter().map(|cluster| cluster.counts.worst()).collect(), out)?;
    }
    timeline::write(&ends::of(check.items().map(|(_, judged)| judged), check.at), 0, check.at, true, out)?;
    for one in &check.interruptions {
        writeln!(out, "<p>{}</p>", Xml::attribute(&format!("{}: {}", one.directory, one.text)))?;
    }
    notes::texts(check).iter().try_for_each(|text| writeln!(out, "<p>{}</p>", Xml::attribute(text)))?;
    writeln!(out, "</section>")
}

/// How many of each state there are, the worst first.
fn counts(of: &str, counts: &Counts, out: Out<'_>) -> io::Result<()> {
    writeln!(out, "<h3>{of}</h3><ul class=\"counts\">")?;
    for state in State::ALL.into_iter().rev().filter(|state| *state != State::Absent && counts.get(*state) > 0) {
        writeln!(out, "<li class=\"{}\"><b>{}</b> {}</li>", class(state), counts.get(state), state.words())?;
    }
    writeln!(out, "</ul>")
}

fn to_do(check: &Check, out: Out<'_>) -> io::Result<()> {
    writeln!(out, "<section id=\"todo\" aria-labelledby=\"h-todo\"><h2 id=\"h-todo\">What to do</h2><ul>")?;
    for one in &check.advice {
        write!(out, "<li>{}", Xml::attribute(&advice::what(one)))?;
        for step in steps::steps(one, advice::FEW) {
            write!(out, "<code>{}</code>", Xml::attribute(&step))?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ul></section>")
}

fn urgent(check: &Check, clusters: &[Cluster<'_>], out: Out<'_>) -> io::Result<()> {
    let numbers: BTreeMap<&str, usize> = clusters.iter().enumerate().map(|(number, one)| (one.name, number)).collect();
    writeln!(
        out,
        "<section id=\"urgent\" aria-labelledby=\"h-urgent\"><h2 id=\"h-urgent\">Most urgent</h2>\
         <table><thead><tr><th scope=\"col\">Certificate</th><th scope=\"col\">Expires</th><th scope=\"col\">When</th>\
         <th scope=\"col\">State</th><th scope=\"col\">Cluster</th></tr></thead><tbody>"
    )?;
    for (tree, judged) in check.worst(check.selection.top.unwrap_or(URGENT)) {
        let name = cells::cluster(tree);
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th>{}{}<td><a href=\"#c{}\">{}</a></td></tr>",
            Xml::attribute(&tree.id(&cells::name(judged)).to_string()),
            tables::end(judged.expires, check.at),
            tables::state(judged.state),
            numbers.get(name).copied().unwrap_or_default(),
            Xml::attribute(name)
        )?;
    }
    writeln!(out, "</tbody></table></section>")
}
