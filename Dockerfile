# The container image: the static binary, CA roots, nothing else. No shell, git, ssh or gpg: it lands over https, with a
# token. What it holds is laid out by .ci/image, which builds it too:
#
#   .ci/image target/x86_64-unknown-linux-musl/release/tagbump amd64
#
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -e TAGBUMP_TOKEN ghcr.io/tagbump/tagbump bump … --push
FROM scratch
ARG TARGETARCH
LABEL org.opencontainers.image.title="tagbump" \
    org.opencontainers.image.description="Writes the tag of a freshly built container image into GitOps YAML, and lands the commit" \
    org.opencontainers.image.source="https://github.com/tagbump/tagbump" \
    org.opencontainers.image.documentation="https://github.com/tagbump/tagbump#readme" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY dist/rootfs-${TARGETARCH}/ /
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/tagbump"]
