//! The load balancer of docs/ha-with-haproxy-and-keepalived.md: its HAProxy before API servers, and keepalived reads its file.

use std::time::Duration;

use crate::support::{Made, Server, free_port, program, run, scratch, within, write};
use crate::tls::{SERVED, get};
use crate::worked::Worked;

const GUIDE: &str = "docs/ha-with-haproxy-and-keepalived.md";

/// Two API servers of the cluster and one of another: clients reach the two, through HAProxy, by every name of the load balancer.
#[test]
fn clients_reach_the_api_servers_that_are_the_clusters() {
    let place = scratch();
    let guide = Worked::of(GUIDE);
    let profile = guide.block("yaml", "controlPlaneEndpoint");
    let (tree, other) = (Made::of_text(&profile, &[]), Made::of_text(&profile, &[]));
    let ca = tree.path("nodes/cp1/pki/ca.crt");
    let port = free_port("127.0.0.1");
    let mut config = guide.block("haproxy", "backend").replace("bind :8443", &format!("bind 127.0.0.1:{port}"));
    config = config.replace("/etc/kubernetes/pki/ca.crt", ca.to_str().unwrap());
    let mut servers = Vec::new();
    for (node, made) in [("cp1", &tree), ("cp2", &tree), ("cp3", &other)] {
        let address = format!("127.0.0.1:{}", free_port("127.0.0.1"));
        let in_guide = format!("192.168.1.{}:6443", node.trim_start_matches("cp"));
        assert!(config.contains(&in_guide));
        config = config.replace(&in_guide, &address);
        let pair = made.path(&format!("nodes/{node}/pki/apiserver"));
        let mut server = program("openssl");
        server.args(["s_server", "-www", "-quiet", "-accept", &address, "-cert"]).arg(pair.with_extension("crt"));
        let server = server.arg("-key").arg(pair.with_extension("key"));
        let mut server = Server::start(server, place.path().join(format!("{node}.log")));
        server.listening(&address);
        servers.push(server);
    }
    let config = write(place.path().join("haproxy.cfg"), config);
    run(program("haproxy").arg("-c").arg("-f").arg(&config)).expect_ok("haproxy -c");
    let mut haproxy = program("haproxy");
    let mut haproxy = Server::start(haproxy.arg("-db").arg("-f").arg(&config), place.path().join("haproxy.log"));
    let address = format!("127.0.0.1:{port}");
    haproxy.listening(&address);
    let is_down = within(Duration::from_secs(60), || haproxy.log().contains("api-servers/cp3 is DOWN"));
    assert!(is_down, "{}", haproxy.log());
    for _ in 0..6 {
        let names = ["-verify_hostname", "k8s-api.example.com", "-verify_ip", "192.168.1.100"];
        let said = get(&address, &ca, None, &names);
        assert!(said.contains(SERVED), "{said}\n{}", haproxy.log());
    }
    for node in ["cp1", "cp2"] {
        assert!(!haproxy.log().contains(&format!("api-servers/{node} is DOWN")), "{}", haproxy.log());
    }
}

#[test]
fn keepalived_understands_every_line() {
    let place = scratch();
    let config = Worked::of(GUIDE).block("keepalived", "vrrp_instance");
    let said = |config: &str| {
        let file = write(place.path().join("keepalived.conf"), config);
        // Its exit status is a signal's wherever it is not the first process of its session; what it finds, it says.
        let ran = run(program("keepalived").arg("--config-test").arg("-f").arg(file));
        format!("{}{}", ran.out, ran.err)
    };
    let good = said(&config);
    assert!(!good.contains("Line ") && !good.contains("SECURITY"), "{good}");
    for (old, new) in [("virtual_router_id 51", "virtual_router_id 5100"), ("virtual_ipaddress", "virtual_address")] {
        assert!(config.contains(old));
        let bad = said(&config.replace(old, new));
        assert!(bad.contains("Line "), "{new}: {bad}");
    }
}
