//! Compose projects: variables with and without defaults, `.env`, overrides, `extends`, `include`, anchors.

use super::kustomize::below;
use super::maker::Maker;
use super::yaml::{Yaml, list, map, text};

pub fn project(maker: &mut Maker, folder: &str) {
    let mut env =
        vec!["# what compose puts into the files".to_owned(), "POSTGRES_PASSWORD=secret".to_owned()];
    let file = *maker.pick(&[&"compose.yaml", &"docker-compose.yml", &"docker-compose.yaml"]);
    let mut services = map::<String>([]);
    let mut names = Vec::new();
    for index in 0..maker.rng.usize(1..4) {
        let name = format!("s{index}");
        let service = service(maker, &mut env, folder, index);
        services = services.with(&name, service);
        names.push(name);
    }
    let mut whole = map::<String>([]);
    if maker.chance(12) {
        let common = map([("image", text(image(maker, &mut env))), ("restart", text("always"))]);
        whole = whole.with("x-common", Yaml::Anchored("common".to_owned(), Box::new(common)));
        for name in ["w0", "w1"] {
            services =
                services.with(name, map([("<<", super::yaml::bare("*common")), ("command", text(name))]));
        }
    }
    if maker.chance(12) {
        let inner = map([("services", map([("included", plain_service(maker))]))]);
        maker.write(&below(folder, "parts/included.yaml"), &inner);
        whole = whole.with("include", list([text("parts/included.yaml")]));
    }
    maker.write(&below(folder, file), &whole.with("services", services));
    others(maker, &mut env, folder, file, &names);
    if maker.chance(85) {
        maker.files.insert(below(folder, ".env"), env.join("\n") + "\n");
    }
}

fn plain_service(maker: &mut Maker) -> Yaml {
    let name = maker.name();
    map([("image", text(maker.image(&name)))])
}

fn service(maker: &mut Maker, env: &mut Vec<String>, folder: &str, index: usize) -> Yaml {
    if maker.chance(10) {
        let file = format!("common-{index}.yaml");
        let inner = map([("services", map([("common", plain_service(maker))]))]);
        maker.write(&below(folder, &format!("parts/{file}")), &inner);
        let from = map([("file", text(format!("parts/{file}"))), ("service", text("common"))]);
        return map([("extends", from), ("restart", text("always"))]);
    }
    let image = image(maker, env);
    map([("image", text(image)), ("restart", text("always"))])
}

/// An image as compose files have it.
fn image(maker: &mut Maker, env: &mut Vec<String>) -> String {
    let name = maker.name();
    // a variable of its own, or one that several services share
    let variable = if maker.chance(35) { "TAG".to_owned() } else { format!("{}_TAG", letter(maker)) };
    match maker.rng.u8(0..10) {
        0..3 => maker.image(&name),
        3..5 => {
            let default = maker.tag();
            let operator = if maker.chance(75) { ":-" } else { "-" };
            if maker.chance(50) {
                assign(maker, env, &variable);
            }
            format!("{name}:${{{variable}{operator}{default}}}")
        }
        5..7 => {
            assign(maker, env, &variable);
            match maker.rng.u8(0..3) {
                0 => format!("{name}:${variable}"),
                _ => format!("{name}:${{{variable}}}"),
            }
        }
        7 => {
            let (default, variable) = (maker.image(&name), format!("{}_IMAGE", letter(maker)));
            if maker.chance(40) && !env.iter().any(|line| line.starts_with(&variable)) {
                env.push(format!("{variable}={}", maker.image(&name)));
            }
            format!("${{{variable}:-{default}}}")
        }
        8 if maker.chance(50) => {
            assign(maker, env, &variable);
            let suffix = maker.pick(&["-ad", "-alpine"]);
            format!("{name}:${{{variable}}}{suffix}")
        }
        8 => {
            let default = maker.tag();
            format!("{name}:${{{variable}:-${{OTHER:-{default}}}}}")
        }
        _ => {
            let tag = maker.tag();
            env.push(format!("{variable}={tag}"));
            format!("{name}:${{{variable}:?must be set}}")
        }
    }
}

fn letter(maker: &mut Maker) -> char {
    ['A', 'B', 'C'][maker.rng.usize(0..3)]
}

fn assign(maker: &mut Maker, env: &mut Vec<String>, variable: &str) {
    if maker.chance(10) {
        env.push(format!("{variable}="));
        return;
    }
    let tag = maker.tag();
    env.push(match maker.rng.u8(0..5) {
        0 => format!("{variable}=\"{tag}\""),
        1 => format!("{variable}='{tag}'"),
        2 => format!("export {variable}={tag}"),
        _ => format!("{variable}={tag}"),
    });
}

/// An override, and a file for another environment.
fn others(maker: &mut Maker, env: &mut Vec<String>, folder: &str, file: &str, names: &[String]) {
    let (stem, end) = file.split_once('.').unwrap_or((file, "yaml"));
    if maker.chance(25) {
        let name = names[maker.rng.usize(0..names.len())].clone();
        let service = map([("image", text(image(maker, env)))]);
        maker.write(
            &below(folder, &format!("{stem}.override.{end}")),
            &map([("services", map([(name, service)]))]),
        );
    }
    if maker.chance(25) {
        let name = names[maker.rng.usize(0..names.len())].clone();
        let service = if maker.chance(60) {
            map([("image", text(image(maker, env)))])
        } else {
            map([("restart", text("no"))])
        };
        maker.write(
            &below(folder, &format!("{stem}.prod.{end}")),
            &map([("services", map([(name, service)]))]),
        );
    }
}
