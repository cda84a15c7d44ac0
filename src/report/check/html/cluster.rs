//! One cluster of the page: how it stands, its timeline, its tables.

use std::io;

use super::parts::{Form, Out, class};
use super::{tables, timeline};
use crate::audit::State;
use crate::clock::distance;
use crate::report::check::clusters::Cluster;
use crate::report::check::{cells, ends, verdict};
use crate::report::counted;
use crate::report::xml::Xml;

pub fn write(cluster: &Cluster<'_>, number: usize, form: Form, out: Out<'_>) -> io::Result<()> {
    let worst = cluster.counts.worst();
    let name = Xml::attribute(cluster.name);
    let counts = match worst {
        State::Ok => String::new(),
        _ => format!(": {}", verdict::counted(&cluster.counts)),
    };
    let first =
        cluster.first.and_then(|judged| Some((judged, judged.expires?))).map_or_else(String::new, |(judged, end)| {
            let verb = if end < form.at { "ended first," } else { "ends first," };
            format!("; {} {verb} {}", cells::name(judged), distance(form.at, end))
        });
    let summary = format!(
        "{} in {}{counts}{first}",
        counted(cluster.counts.total(), "certificate"),
        counted(cluster.rows.len(), "place")
    );
    writeln!(
        out,
        "<article id=\"c{number}\" aria-labelledby=\"h{number}\"><header><h3 id=\"h{number}\">{name} <b class=\"{}\">{}</b></h3>\
         <p>{}</p></header>",
        class(worst),
        worst.words(),
        Xml::attribute(&summary)
    )?;
    timeline::write(&ends::of(cluster.items(), form.at), number, form.at, false, out)?;
    let open = if form.open { " open=\"open\"" } else { "" };
    writeln!(out, "<details{open}><summary>Certificates of {name}</summary>")?;
    for (tree, items) in cluster.rows.iter().filter(|(_, items)| !items.is_empty()) {
        tables::of_tree(tree, items, form, out)?;
    }
    writeln!(out, "</details></article>")
}
