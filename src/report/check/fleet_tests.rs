//! The forms over many clusters, hand-made.

use super::CheckForm;
use super::result::{Check, Interruption, Selection};
use super::tests::{check, item};
use crate::inventory::{Item, Kind, Reading, Unreadable};

fn fleet(count: i64, items: impl Fn(i64) -> Vec<Item>, selection: Selection) -> Check {
    let trees: Vec<(String, Vec<Item>)> = (0..count).map(|n| (format!("c{n:04}"), items(n))).collect();
    let trees: Vec<(&str, Vec<Item>)> = trees.iter().map(|(name, items)| (name.as_str(), items.clone())).collect();
    check(&trees, selection)
}

#[test]
fn many_trees_are_a_line_per_cluster_and_the_worst_items() {
    let items = |n| vec![item("apiserver", 100 - n), item("etcd-peer", 20 - 2 * n)];
    let text = fleet(12, items, Selection { top: Some(2), ..Selection::default() }).text(CheckForm::Table);
    assert!(
        text.starts_with(
            "expired: 1 expired, 4 critical, 7 warning, 12 ok of 24 certificates in 12 places; etcd-peer of c0011 ended \
             first, 2d ago\n\n\
             CLUSTER   PLACES    CERTIFICATES   FIRST TO END   EXPIRES                  RESIDUAL TIME   STATE\n\
             c0011     1         2              etcd-peer      Nov 18, 2026 22:00 UTC   <invalid>       expired (1)\n\
             c0010     1         2              etcd-peer      Nov 20, 2026 22:00 UTC   0s              critical (1)\n"
        ),
        "{text}"
    );
    assert!(
        text.contains(
            "\n\n\
             CERTIFICATE   EXPIRES                  RESIDUAL TIME   STATE      PLACE\n\
             etcd-peer     Nov 18, 2026 22:00 UTC   <invalid>       expired    cluster c0011: /clusters/c0011\n\
             etcd-peer     Nov 20, 2026 22:00 UTC   0s              critical   cluster c0010: /clusters/c0010\n\
             22 of 24 are not shown\n"
        ),
        "{text}"
    );
}

/// However many there are and whatever `--top` says: who reads the table sees each of them.
#[test]
fn no_cluster_that_is_not_ok_is_left_out() {
    let items = |n| vec![item("apiserver", if n % 3 == 0 { 5 } else { 300 })];
    for top in [None, Some(3)] {
        let text = fleet(300, items, Selection { top, ..Selection::default() }).text(CheckForm::Table);
        for n in (0..300).step_by(3) {
            assert!(text.contains(&format!("\nc{n:04} ")), "{n}");
        }
        assert!(text.contains("\nand 200 more clusters, which are ok\n"), "{text}");
    }
    let text = fleet(12, |_| vec![item("apiserver", 300)], Selection::default()).text(CheckForm::Table);
    assert!(text.contains("\nc0009 ") && text.contains("\nand 2 more clusters, which are ok\n"), "{text}");
}

#[test]
fn a_cluster_with_much_to_say_does_not_hide_the_others() {
    let items = |n| match n {
        7 => (0..50).map(|i| item(&format!("a{i}"), -9)).collect(),
        8 => vec![item("apiserver", -1)],
        9 => vec![item("apiserver", 5)],
        _ => vec![item("apiserver", 300)],
    };
    let text = fleet(20, items, Selection::default()).text(CheckForm::Table);
    let (_, worst) = text.split_once("PLACE\n").unwrap();
    let places: Vec<&str> = worst.lines().take(10).filter_map(|line| line.rsplit('/').next()).collect();
    assert_eq!((places[0], places[1]), ("c0007", "c0008"));
    assert!(places[2..].iter().all(|place| *place == "c0007"), "{places:?}");
}

#[test]
fn a_timeline_fits_the_screen_and_has_everything() {
    let items = |n| {
        let missing = Item { reading: Reading::Missing, ..item("etcd-peer", 1) };
        vec![item("apiserver", 40 * n - 20), item("ca", 3000), missing]
    };
    for (count, names) in [(1, 1), (30, 30)] {
        let fleet = fleet(count, items, Selection::default());
        for width in [None, Some(80), Some(100), Some(200)] {
            let lines = fleet.lines(CheckForm::Timeline, width).unwrap();
            let table: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            // Below the verdict, which takes several lines of a narrow screen.
            let table: Vec<&str> = table.into_iter().skip_while(|line| !line.is_empty()).skip(1).collect();
            let columns = usize::from(width.unwrap_or(80));
            let months = table[1].split_whitespace().count() - 3;
            assert!((12..=24).contains(&months), "{months}");
            assert!(table.iter().all(|line| line.chars().count() <= columns), "{table:#?}");
            assert!(table[1].contains(" past Nov Dec Jan") && table[1].ends_with("later none"), "{table:#?}");
            let rows: Vec<&&str> = table[2..].iter().take_while(|line| !line.is_empty()).collect();
            assert_eq!(rows.len(), names);
            let counted =
                |row: &str| row.split_whitespace().filter_map(|cell| cell.parse::<usize>().ok()).sum::<usize>();
            for row in rows {
                assert!(row.starts_with("!! ") && counted(row) == 3, "{row}");
            }
        }
    }
}

#[test]
fn ends_that_are_close_to_each_other_are_one_stack() {
    let missing = Item { reading: Reading::Missing, ..item("etcd-peer", 1) };
    let days = [-40, -1, 3, 20, 32, 33, 60, 427, 428, 3000];
    let items: Vec<Item> = days.into_iter().map(|days| item("apiserver", days)).chain([missing]).collect();
    let check = check(&[("prod", items)], Selection::default());
    let ends = super::ends::of(check.items().map(|(_, judged)| judged), check.at);
    let counts = |stack: &super::ends::Stack| [stack.ok, stack.warning, stack.bad];
    assert_eq!(ends.ended.as_ref().map(counts), Some([0, 0, 2]));
    // 3, 20 and 32 days: within 30 of the first.
    assert_eq!(ends.stacks.iter().map(counts).collect::<Vec<_>>(), [[1, 1, 1], [2, 0, 0], [1, 0, 0]]);
    assert_eq!((ends.later.as_ref().map(counts), ends.undated), (Some([2, 0, 0]), 1));
    assert_eq!(ends.stacks.first().map(|stack| (stack.last - stack.first).whole_days()), Some(29));
}

/// NRPE cuts a longer line, and what is cut off in the middle of a number is another number.
#[test]
fn a_nagios_line_has_at_most_4_kib() {
    let items = |n: i64| (0..27).map(|i| item(&format!("a-rather-long-name-{i}"), n % 400 - 3)).collect();
    for (count, interruptions) in [(2000, 0), (100, 500)] {
        let mut fleet = fleet(count, items, Selection::default());
        let one = |n| Interruption { directory: format!("/clusters/c{n}\n|"), text: "left".to_owned(), open: true };
        fleet.interruptions = (0..interruptions).map(one).collect();
        let line = fleet.text(CheckForm::Nagios);
        assert!(line.len() <= 4096 && line.len() > 3000 && line.lines().count() == 1, "{}", line.len());
        let (text, perfdata) = line.split_once(" | ").unwrap();
        assert!(text.starts_with("CERTIFICATES CRITICAL - ") && !perfdata.contains('|'), "{text}");
        assert_eq!(text.contains("more interrupted runs"), interruptions > 0, "{text}");
        assert!(perfdata.starts_with("ok=") && perfdata.contains(" expired="), "{perfdata}");
        let values = perfdata.split("' ").count() + perfdata.matches("'=").count();
        let shown = perfdata.matches("'=").count();
        assert!(values > shown && shown > 10, "{perfdata}");
        let left_out =
            format!("; of {} more certificates no value is shown", count * 27 - i64::try_from(shown).unwrap());
        assert!(text.ends_with(&left_out), "{text}");
    }
    let name = "x".repeat(9000);
    let line = fleet(1, |_| vec![item(&name, 5)], Selection::default()).text(CheckForm::Nagios);
    assert!(line.len() <= 4096 && line.contains("; of 1 more certificates"), "{line}");
}

#[test]
fn the_page_of_a_large_fleet_is_small() {
    let items = |days: i64| {
        move |n: i64| {
            let mut items: Vec<Item> =
                (0..24).map(|i| item(&format!("apiserver-kubelet-client-{i}"), days - n % 20)).collect();
            items.extend((0..3).map(|i| Item {
                kind: Kind::Authority,
                authority: None,
                ..item(&format!("ca-{i}"), 3000)
            }));
            items
        }
    };
    for days in [300, -300] {
        let page = fleet(2000, items(days), Selection::default()).text(CheckForm::Html);
        assert!(page.len() < 10_000_000, "{}", page.len());
        assert_eq!(page.matches("<article").count(), 2000);
        assert!(page.contains("<th scope=\"row\">24: apiserver-kubelet-client-0, apiserver-kubelet-client-1, "));
        assert!(page.contains("24 ends on "), "stacked with their number");
    }
    // What cannot be read says why in any case.
    let broken = |n: i64| {
        let why = Reading::Unreadable(Unreadable::Reported(format!("reason {n}")));
        let mut items: Vec<Item> = (0..30).map(|i| item(&format!("a{i}"), 300)).collect();
        items.push(Item { reading: why, ..item("apiserver", 1) });
        items
    };
    let page = fleet(200, broken, Selection::default()).text(CheckForm::Html);
    assert!((0..200).all(|n| page.contains(&format!("apiserver: reason {n}<"))));
    assert!(page.contains("certificates of one place that are in one state and end together are one row"));
}
