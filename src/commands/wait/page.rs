//! Asks a page whether it shows a change. It gets no credentials, and no other host is asked.

use std::time::Instant;

use url::Url;

use super::page_text::has_word;
use crate::http::{self, Agent, HttpSettings, Request, header};
use crate::visible::inline;

/// How much of a page is read.
const LONGEST: u64 = 1_000_000;
const MOST_REDIRECTS: usize = 5;

/// What a page must show.
#[derive(Clone, Debug)]
pub(super) enum ShownText {
    /// One of these, as a separate word.
    Words(Vec<String>),
    Text(String),
}

impl ShownText {
    fn is_in(&self, text: &str) -> bool {
        match self {
            ShownText::Words(words) => words.iter().any(|word| has_word(text, word)),
            ShownText::Text(wanted) => text.contains(wanted.as_str()),
        }
    }
}

/// A page, and what it must show.
pub(super) struct Page<'a> {
    pub http: &'a HttpSettings,
    pub url: &'a Url,
    pub wanted: &'a ShownText,
}

impl Page<'_> {
    /// Whether the page shows it. An error says why it doesn't. Nothing of the page is repeated.
    pub fn shows_it(&self, deadline: Instant) -> Result<(), String> {
        let mut url = self.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let answer = get(self.http, &url, deadline)?;
            match answer.redirect {
                Some(to) => url = self.followed(&url, &to)?,
                None if answer.status == 200 && self.wanted.is_in(&answer.text) => return Ok(()),
                None if answer.status == 200 => return Err("doesn't show the change yet".to_owned()),
                None => return Err(format!("answered {}", answer.status)),
            }
        }
        Err(format!("redirected more than {MOST_REDIRECTS} times"))
    }

    fn followed(&self, from: &Url, to: &str) -> Result<Url, String> {
        let next = from.join(to).map_err(|_| "redirected to an address that is not valid".to_owned())?;
        let is_same_host = next.host() == self.url.host() && ["http", "https"].contains(&next.scheme());
        let is_less_safe = from.scheme() == "https" && next.scheme() != "https";
        match is_same_host && !is_less_safe {
            true => Ok(next),
            false => Err(format!("redirected to {}, which tagbump doesn't follow", inline(&shown(&next)))),
        }
    }
}

/// Scheme and host alone: the rest may be a secret.
fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

struct PageAnswer {
    status: u16,
    redirect: Option<String>,
    text: String,
}

fn get(http: &HttpSettings, url: &Url, deadline: Instant) -> Result<PageAnswer, String> {
    let agent: Agent = http.agent_without_certificate(url).map_err(|error| error.to_string())?;
    let request = Request::get(url.as_str()).header(header::USER_AGENT, http::USER_AGENT);
    let request = request.body(Vec::new()).map_err(|error| error.to_string())?;
    let answer = http::exchange(&agent, request, deadline, LONGEST).map_err(|error| {
        if http::was_too_slow(&error) { "no answer in time".to_owned() } else { inline(&error.to_string()) }
    })?;
    let status = answer.status().as_u16();
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let redirect = location.filter(|_| [301, 302, 303, 307, 308].contains(&status)).map(str::to_owned);
    Ok(PageAnswer { status, redirect, text: String::from_utf8_lossy(answer.body()).into_owned() })
}
