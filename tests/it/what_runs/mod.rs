//! What runs, before and after a bump, as the tools that deploy it have it: kustomize, helm and docker-compose. What
//! Flux, Argo CD and Helmfile do around them is done here as their sources do it.
//!
//!     .ci/run deployments              the fixtures, and a few hundred random repositories
//!     .ci/what-runs COUNT SEED         as many as you like

mod argo;
mod containers;
mod deploy;
mod files;
mod fixtures;
mod flux;
mod generator;
mod helmfile;
mod judge;
mod layout;
mod marks;
mod random;
mod release;
mod shrink;
