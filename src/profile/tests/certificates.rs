//! certificatesDir for trees in several directories.

use super::*;

#[test]
fn certificates_dir_is_below_the_tree_or_in_the_same_file_system() {
    let outside = |path: &str| CertificatesDir::Outside(path.into());
    for (certificates_dir, dir, found) in [
        ("/etc/kubernetes/pki", "/etc/kubernetes", CertificatesDir::Below("pki".to_owned())),
        ("/etc/kubernetes/ssl/k8s/", "/copy", CertificatesDir::Below("ssl/k8s".to_owned())),
        ("/etc/kubernetes2", "/etc/kubernetes", outside("/etc/kubernetes2")),
        ("/srv/pki", "/etc/kubernetes", outside("/srv/pki")),
        ("/srv/pki", "/etc/kubernetes/", outside("/srv/pki")),
        ("/srv/pki", "/mnt/etc/kubernetes", outside("/mnt/srv/pki")),
        ("/srv/pki", "/mnt/myetc/kubernetes", CertificatesDir::Gathered),
        ("/srv/pki", "/kubernetes", CertificatesDir::Gathered),
    ] {
        let loaded = load_text(&with(&format!("certificatesDir: {certificates_dir}"))).unwrap();
        assert_eq!(loaded.profile.certificates_in(dir.as_ref()), found, "{certificates_dir} {dir}");
    }
}
