# The formula of a release is made from this file by packaging/homebrew/fill, and is one of the release's files. A tap has it
# as Formula/tagbump.rb: `brew install tagbump/tap/tagbump`.
class Tagbump < Formula
  desc "Writes the tag of a container image into GitOps YAML, and lands the commit"
  homepage "https://github.com/tagbump/tagbump"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "https://github.com/tagbump/tagbump/releases/download/v@VERSION@/tagbump-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@aarch64-apple-darwin@"
    end
    on_intel do
      url "https://github.com/tagbump/tagbump/releases/download/v@VERSION@/tagbump-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/tagbump/tagbump/releases/download/v@VERSION@/tagbump-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "https://github.com/tagbump/tagbump/releases/download/v@VERSION@/tagbump-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@x86_64-unknown-linux-musl@"
    end
  end

  def install
    bin.install "tagbump"
    generate_completions_from_executable(bin/"tagbump", "completions", shells: [:bash, :zsh, :fish])
  end

  test do
    (testpath/"compose.yaml").write <<~YAML
      services:
        api:
          image: ghcr.io/acme/api:v1
    YAML
    system bin/"tagbump", "bump", "ghcr.io/acme/api:v2"
    assert_match "image: ghcr.io/acme/api:v2", (testpath/"compose.yaml").read
  end
end
