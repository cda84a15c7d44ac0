//! What other tools call it: words that no verb has and hands type, with the command of kpki for what they mean.

/// What is meant, and the command for it; words in capitals stand for what the person knows.
pub type Answer = (&'static str, &'static str);

/// Words as they are typed after `kpki`.
#[derive(Debug)]
pub struct Habit {
    pub typed: &'static [&'static [&'static str]],
    pub answers: &'static [Answer],
}

const MADE: Answer = ("a whole tree from a profile", "kpki init --profile FILE --dir DIR");
const PROFILE: Answer = ("a profile to begin with", "kpki profile new");
const ENDS: Answer = ("what is there and when it ends", "kpki check-expiration");
const SIGNED: Answer = ("sign a request", "kpki sign CSR --usage server --san NAME");
const REQUEST: Answer = ("a key and a request for an external authority", "kpki csr NAME");
const SHOWN: Answer = ("what a file contains", "kpki inspect FILE");
const P12: Answer = ("one PKCS#12 file", "kpki convert CERT KEY --to p12 --out FILE");
const RENEWED: Answer = ("renew certificates", "kpki renew NAME");
const REVOKED: Answer = ("put a certificate on its authority's CRL, for good", "kpki revoke NAME");
const PEM: Answer = ("as PEM, whatever it was", "kpki convert FILE --to pem");

pub const HABITS: &[Habit] = &[
    // kubeadm
    Habit {
        typed: &[&["init", "phase", "certs"], &["init", "phase", "kubeconfig"], &["init", "phase"], &["join"]],
        answers: &[
            ("everything that is missing, and nothing else", "kpki init --config FILE"),
            ("one that exists, anew", "kpki renew NAME"),
        ],
    },
    Habit {
        typed: &[&["init", "phase", "upload-certs"], &["upload-certs"]],
        answers: &[("the Secret that kubeadm join reads", "kpki convert DIR --as kubeadm-certs")],
    },
    Habit { typed: &[&["alpha", "certs"], &["alpha"]], answers: &[ENDS, RENEWED] },
    Habit {
        typed: &[&["upgrade"]],
        answers: &[("what is due after it, as kubeadm upgrade renews", "kpki renew all --due")],
    },
    Habit {
        typed: &[&["reset"], &["clean"], &["clean-all"], &["destroy"], &["uninstall"]],
        answers: &[
            ("which state a directory was in before", "kpki history"),
            ("take a node out of a cluster directory", "kpki nodes remove NODE"),
        ],
    },
    // Everybody's.
    Habit {
        typed: &[&["list"], &["ls"], &["status"], &["state"], &["expiry"], &["expiration"], &["expire"], &["expires"]],
        answers: &[
            ENDS,
            ("the nodes of a cluster directory", "kpki nodes"),
            ("how far a rotation is", "kpki rotate status"),
        ],
    },
    Habit {
        typed: &[&["new"], &["create"], &["make"], &["generate-all"], &["setup"], &["bootstrap"]],
        answers: &[MADE, PROFILE],
    },
    Habit {
        typed: &[&["config"], &["print-defaults"]],
        answers: &[PROFILE, ("a file with every default visible", "kpki profile show FILE")],
    },
    Habit {
        typed: &[&["remove"], &["delete"], &["rm"], &["del"]],
        answers: &[("take a node out of a cluster directory", "kpki nodes remove NODE"), REVOKED],
    },
    Habit {
        typed: &[&["add"], &["add-node"], &["node", "add"], &["nodes", "add"]],
        answers: &[("make the tree of a node that was added to the profile", "kpki init --profile FILE --dir DIR")],
    },
    Habit {
        typed: &[&["show"], &["info"], &["view"], &["cat"], &["print"], &["describe"], &["get"], &["text"]],
        answers: &[SHOWN, ENDS],
    },
    Habit {
        typed: &[&["test"], &["validate"], &["lint"], &["doctor"], &["diagnose"]],
        answers: &[
            ("whether a tree works", "kpki verify DIR"),
            ("whether a profile is right", "kpki profile validate FILE"),
        ],
    },
    Habit {
        typed: &[&["undo"], &["rollback"], &["revert"]],
        answers: &[
            ("what there is to go back to", "kpki history"),
            ("a rotation, one step back", "kpki rotate back --dry-run"),
        ],
    },
    Habit { typed: &[&["update"], &["refresh"], &["reissue"], &["regenerate"], &["regen"]], answers: &[RENEWED] },
    Habit { typed: &[&["unrevoke"], &["unhold"]], answers: &[("end a hold; a revocation stays", "kpki release NAME")] },
    Habit {
        typed: &[&["encrypt"], &["decrypt"]],
        answers: &[
            ("where each authority's key is, and how", "kpki key list --dir DIR"),
            ("encrypt them", "kpki key protect all --dir DIR"),
        ],
    },
    Habit {
        typed: &[&["user"], &["adduser"], &["add-user"]],
        answers: &[("a kubeconfig for a person", "kpki kubeconfig user NAME --group GROUP")],
    },
    // cfssl and cfssljson, step, certstrap
    Habit {
        typed: &[&["gencert"], &["certificate", "create"]],
        answers: &[
            SIGNED,
            (
                "a key and a certificate by cfssl's JSON",
                "kpki sign FILE --csr-json --usage server --request-names --out DIR",
            ),
            MADE,
        ],
    },
    Habit { typed: &[&["genkey"], &["gencsr"], &["request-cert"], &["request"]], answers: &[REQUEST] },
    Habit { typed: &[&["certinfo"], &["cert", "inspect"], &["certificate", "inspect"]], answers: &[SHOWN] },
    Habit { typed: &[&["certificate", "renew"], &["cert", "renew"]], answers: &[RENEWED] },
    Habit { typed: &[&["certificate", "p12"]], answers: &[P12] },
    Habit {
        typed: &[&["certificate"], &["cert"]],
        answers: &[("kubeadm's words", "kpki certs check-expiration"), SHOWN, SIGNED],
    },
    Habit {
        typed: &[&["gencrl"], &["gen-crl"], &["ocspsign"]],
        answers: &[("the next CRL of each authority", "kpki crl update")],
    },
    Habit {
        typed: &[&["selfsign"], &["init-ca"], &["genca"], &["gen-ca"], &["build-ca"], &["init-pki"], &["create-ca"]],
        answers: &[
            ("three authorities and all that they sign", "kpki init --profile FILE --dir DIR"),
            ("an authority below another one", "kpki sign CSR --intermediate --ca-cert FILE --ca-key FILE"),
        ],
    },
    Habit {
        typed: &[&["ca"]],
        answers: &[
            ("what signs, and when it ends", "kpki check-expiration"),
            ("new dates for an authority, with its key", "kpki renew ca --dry-run"),
            ("another authority in its place", "kpki rotate status"),
        ],
    },
    // easy-rsa
    Habit { typed: &[&["gen-req"]], answers: &[REQUEST] },
    Habit { typed: &[&["sign-req"], &["sign-csr"]], answers: &[SIGNED] },
    Habit { typed: &[&["import-req"]], answers: &[SIGNED] },
    Habit {
        typed: &[&["build-server-full"], &["build-client-full"], &["build-serverClient-full"]],
        answers: &[MADE, SIGNED],
    },
    Habit { typed: &[&["show-cert"], &["show-req"], &["show-ca"], &["show-crl"]], answers: &[SHOWN] },
    Habit { typed: &[&["show-expire"], &["show-renew"]], answers: &[ENDS] },
    Habit { typed: &[&["export-p12"], &["export-p7"], &["export-p8"]], answers: &[P12] },
    // openssl
    Habit { typed: &[&["x509"]], answers: &[SHOWN, ("as DER", "kpki convert FILE --to der --out FILE"), SIGNED] },
    Habit { typed: &[&["req"]], answers: &[REQUEST, SHOWN] },
    Habit {
        typed: &[&["genrsa"], &["genpkey"], &["ecparam"], &["ssh-keygen"]],
        answers: &[MADE, ("a key with a request for it", "kpki csr NAME")],
    },
    Habit {
        typed: &[&["pkcs12"], &["p12"], &["pfx"]],
        answers: &[
            P12,
            ("what is in it", "kpki inspect FILE"),
            ("its parts, each in a file", "kpki convert FILE --to parts --out DIR"),
        ],
    },
    Habit {
        typed: &[&["pkcs7"], &["p7b"], &["crl2pkcs7"]],
        answers: &[PEM, ("certificates as PKCS#7", "kpki convert FILE --to p7b --out FILE")],
    },
    Habit {
        typed: &[&["rsa"], &["ec"], &["pkey"], &["pkcs8"]],
        answers: &[SHOWN, ("a key as PKCS#8", "kpki convert FILE --to pkcs8 --out FILE")],
    },
    Habit {
        typed: &[&["s_client"], &["s-client"], &["connect"]],
        answers: &[("what the components serve", "kpki verify DIR --live")],
    },
    Habit { typed: &[&["asn1parse"]], answers: &[SHOWN] },
];

/// Flags of other tools, wherever they are given; none of them is a flag of kpki.
pub const FLAGS: &[(&[&str], &[Answer])] = &[
    (
        &["--cert-dir", "--kubeconfig-dir"],
        &[
            ("in kubeadm's words", "kpki certs check-expiration --cert-dir DIR"),
            ("here the directory above pki", "kpki check-expiration --dir DIR"),
        ],
    ),
    (
        &["--kubeconfig"],
        &[(
            "no cluster is asked; from kubectl -n kube-system get cm kubeadm-config -o yaml |",
            "kpki check-expiration --config -",
        )],
    ),
    (
        &["--rootfs"],
        &[("a copy of a node's file system by its kubernetes directory", "kpki check-expiration --dir DIR")],
    ),
    (&["--csr-only", "--use-api", "--csr-dir"], &[REQUEST]),
    (
        &["--not-after", "--days", "--lifetime", "--expiry"],
        &[("a duration", "kpki sign CSR --usage server --validity 90d")],
    ),
];

/// Values that no flag takes: the flag's name, what was given, and what it is here.
pub const VALUES: &[(&str, &[&str], &str)] = &[
    ("to", &["jks", "keystore", "truststore", "jceks"], "Java reads PKCS#12 as a keystore: --to p12"),
    ("to", &["secret"], "a Secret for kubectl: --as kubernetes-secret"),
    (
        "to",
        &["haproxy", "fullchain", "bundle"],
        "a certificate with its chain: --bundle fullchain; with its key: --bundle haproxy",
    ),
];
