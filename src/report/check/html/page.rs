//! The whole page.

use std::io;

use super::parts::{Form, Out, class};
use super::{cluster, overview};
use crate::clock::rfc3339;
use crate::report::check::clusters::{self, Cluster};
use crate::report::check::result::Check;
use crate::report::check::verdict;
use crate::report::counted;
use crate::report::xml::Xml;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The SHA-256 of the two, by which a browser knows them from what somebody else has put into the page.
const STYLE_HASH: &str = "sha256-I8ljehCtreK5MyhY8VOu78O2MCfPfzUjnPuINZJtMIE=";
const SCRIPT_HASH: &str = "sha256-ClclxZCjBLC1Z60dht7uUmg44NL0uQhtaYCUrxk6jLw=";

/// With more certificates than these, those of a place that end together are one row.
const MOST_ROWS: usize = 5000;
/// Of no more clusters than these the tables are open.
const OPEN: usize = 3;

pub fn write(check: &Check, out: Out<'_>) -> io::Result<()> {
    let selected = check.selected();
    let clusters = clusters::of(&selected);
    head(check, &clusters, out)?;
    overview::write(check, &clusters, out)?;
    listed(check, &clusters, out)?;
    writeln!(
        out,
        "</main>\n<footer><p class=\"muted\">Made by kpki {} at {}. All times are UTC.</p></footer>",
        env!("CARGO_PKG_VERSION"),
        rfc3339(check.at)
    )?;
    writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
}

fn head(check: &Check, clusters: &[Cluster<'_>], out: Out<'_>) -> io::Result<()> {
    let title = match clusters {
        [one] => format!("Certificates of {}", one.name),
        many => format!("Certificates of {}", counted(many.len(), "cluster")),
    };
    let title = Xml::attribute(&title);
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>")?;
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{STYLE_HASH}'; script-src \
         '{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\"/>"
    )?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>")?;
    writeln!(out, "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>{title}</title>")?;
    writeln!(out, "<style>{STYLE}</style>\n</head>\n<body>")?;
    writeln!(out, "<a class=\"skip\" href=\"#clusters\">Skip to the clusters</a>")?;
    let class = class(check.verdict.state);
    let verdict = verdict::text(check);
    writeln!(out, "<header><h1>{title}</h1>\n<p class=\"{class}\">{}</p></header>", Xml::attribute(&verdict))
}

/// The clusters, and a list of them to go by.
fn listed(check: &Check, clusters: &[Cluster<'_>], out: Out<'_>) -> io::Result<()> {
    let folded = check.items().count() > MOST_ROWS;
    writeln!(out, "<section id=\"clusters\" aria-labelledby=\"h-clusters\"><h2 id=\"h-clusters\">Clusters</h2>")?;
    if folded {
        writeln!(
            out,
            "<p>In the tables, certificates of one place that are in one state and end together are one row.</p>"
        )?;
    }
    let shown = clusters.iter().flat_map(|cluster| &cluster.rows).map(|(_, items)| items.len()).sum();
    if let Some(hidden) = verdict::hidden(check, shown) {
        writeln!(out, "<p>{}</p>", hidden.text)?;
    }
    writeln!(
        out,
        "<p id=\"filter\" hidden=\"hidden\"><label>Show only clusters with <input type=\"search\" autocomplete=\"off\"/></label> \
         <output aria-live=\"polite\"></output></p>"
    )?;
    writeln!(out, "<nav id=\"index\" aria-label=\"Clusters\"><details><summary>List of clusters</summary><ul>")?;
    for (number, cluster) in clusters.iter().enumerate() {
        let class = class(cluster.counts.worst());
        writeln!(out, "<li><a href=\"#c{number}\" class=\"{class}\">{}</a></li>", Xml::attribute(cluster.name))?;
    }
    writeln!(out, "</ul></details></nav>")?;
    let form = Form { at: check.at, folded, open: clusters.len() <= OPEN };
    clusters.iter().enumerate().try_for_each(|(number, one)| cluster::write(one, number, form, out))?;
    writeln!(out, "</section>")
}
