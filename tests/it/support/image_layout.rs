//! Images of several platforms, in OCI's image layout, for programs that push them.

use std::path::Path;

use serde_json::{Value, json};

/// A folder in OCI's image layout.
pub struct ImageLayout<'a>(&'a Path);

impl<'a> ImageLayout<'a> {
    pub fn new(folder: &'a Path) -> Self {
        std::fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        ImageLayout(folder)
    }

    fn blob(&self, kind: &str, content: &[u8]) -> Value {
        let hash = ring::digest::digest(&ring::digest::SHA256, content);
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(self.0.join("blobs/sha256").join(&hex), content).unwrap();
        json!({"mediaType": kind, "digest": format!("sha256:{hex}"), "size": content.len()})
    }

    fn json(&self, kind: &str, content: &Value) -> Value {
        self.blob(kind, content.to_string().as_bytes())
    }

    /// Adds an index of two platforms with these labels, under a tag.
    pub fn index(&self, tag: &str, labels: &Value) {
        let oci = |kind: &str| format!("application/vnd.oci.image.{kind}.v1+json");
        let platforms = ["amd64", "arm64"].map(|architecture| {
            // an empty tar archive
            let layer = self.blob("application/vnd.oci.image.layer.v1.tar", &[0; 1024]);
            let config = json!({
                "architecture": architecture, "os": "linux", "config": {"Labels": labels},
                "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
            });
            let config = self.json(&oci("config"), &config);
            let manifest = json!({
                "schemaVersion": 2, "mediaType": oci("manifest"), "config": config, "layers": [layer],
            });
            let mut entry = self.json(&oci("manifest"), &manifest);
            entry["platform"] = json!({"architecture": architecture, "os": "linux"});
            entry
        });
        let index = json!({"schemaVersion": 2, "mediaType": oci("index"), "manifests": platforms});
        let mut index = self.json(&oci("index"), &index);
        index["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        let top = json!({"schemaVersion": 2, "manifests": [index]});
        std::fs::write(self.0.join("index.json"), top.to_string()).unwrap();
    }
}
