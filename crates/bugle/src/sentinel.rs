//! `sentinel`: the watch from outside. Another process, with nothing but the target's public
//! interface and a way of its own to the operators.

use std::time::{Duration, Instant};

use bugle_app::Clock;
use bugle_app::channels::Probe;
use bugle_app::tasks::Tasks;
use bugle_app::watch::alarm::fresh_secret;
use bugle_app::watch::{Alarm, Answers, Call};
use bugle_engine::watch::outside::{Look, Patience, Sentinel};
use bugle_web::ServerLimits;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::cli::SentinelArgs;
use crate::cli::configuration_file;
use crate::cli::context::parse_server;
use crate::config::{Config, Watch};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::node;
use crate::output::Output;
use crate::serve::{self, Stop};

/// How often the target is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// An answer that takes longer is none. A frozen process still accepts connections.
const LIMIT: Duration = Duration::from_secs(2);
/// What the target's watch says is old after this time.
const STALE_MS: i64 = 10_000;
/// How often an event is sent of its own.
const EVENT_EVERY: Duration = Duration::from_mins(1);

/// Watches until SIGTERM or SIGINT.
///
/// # Errors
///
/// The configuration has mistakes, or something that is needed can't be had.
pub fn run(args: &SentinelArgs, environment: &Environment) -> Result<(), Failure> {
    let config = configuration_file::load(args.config.as_deref(), environment, &[])?;
    serve::start_log(&config.log);
    let output = Output::new(false, environment);
    serve::runtime()?.block_on(watch(args, config, output))
}

async fn watch(args: &SentinelArgs, config: Config, output: Output) -> Result<(), Failure> {
    let stop = Stop::new()?;
    let target = Target::new(parse_server(&args.target)?, &config.watch)?;
    let answers = Answers::default();
    let tasks = Tasks::new();
    let answer_base = match args.listen {
        Some(address) => {
            let listener = node::listen(address).await?;
            let bound = listener
                .local_addr()
                .map_err(|error| Failure::because("the listener has no address", &error))?;
            let router = bugle_web::answers(answers.clone());
            let limits = ServerLimits::STANDARD;
            tasks.once(bugle_web::serve(listener, router, limits, tasks.stop_token()));
            Some(serve::public_url(&config, bound)?)
        }
        None => None,
    };
    let operators = config.watch.operators.as_ref();
    if operators.is_none() {
        output.remark("Nobody is told: [watch.operators] names no one. It is only logged.")?;
    }
    let alarm = operators
        .map(|operators| Alarm::new(operators, answer_base, answers, fresh_secret()))
        .transpose()
        .map_err(|error| Failure::because("operators can't be told", &error))?;
    output.line(&format!("Watching {}", target.url))?;
    tokio::select! {
        () = stop.requested() => (),
        () = look_on(target, alarm, config.watch, &tasks) => (),
    }
    tasks.stop().await;
    Ok(())
}

/// Looks each second, and rings.
async fn look_on(mut target: Target, mut alarm: Option<Alarm>, watch: Watch, tasks: &Tasks) {
    let (clock, mut sentinel) = (Clock::system(), Sentinel::default());
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut was_wrong, mut beat) = (false, None::<Instant>);
    loop {
        tick.tick().await;
        let look = target.look().await;
        let wrong = sentinel.observe(&look, Patience::STANDARD, clock.now());
        if wrong.is_some() != was_wrong {
            was_wrong = wrong.is_some();
            let why = wrong.as_deref().unwrap_or("all is well");
            tracing::warn!(target = %target.url, why, "the target's state has changed");
        }
        if let Some(alarm) = &mut alarm {
            let call = wrong.map(|why| Call::seen(format!("{}: {why}.", target.name())));
            alarm.tick(call.as_slice(), clock.now(), tasks);
        }
        if let Some(heartbeat) = &watch.heartbeat
            && beat.is_none_or(|at| at.elapsed() >= heartbeat.every)
        {
            beat = Some(Instant::now());
            heartbeat.beat(&target.probe, tasks);
        }
    }
}

/// What the target's watch says to those who have its key.
#[derive(Deserialize)]
struct State {
    age_ms: Option<i64>,
    verdicts: Vec<String>,
}

/// The server that is watched.
struct Target {
    url: Url,
    probe: Probe,
    key: Option<secrecy::SecretString>,
    outside_key: Option<secrecy::SecretString>,
    event_sent: Option<Instant>,
    event_fault: Option<String>,
}

impl Target {
    fn new(url: Url, watch: &Watch) -> Result<Self, Failure> {
        let probe = Probe::new(LIMIT, &watch.roots)
            .map_err(|error| Failure::because("no client", &error))?;
        let (key, outside_key) = (watch.key.clone(), watch.outside_key.clone());
        Ok(Self { url, probe, key, outside_key, event_sent: None, event_fault: None })
    }

    fn name(&self) -> &str {
        self.url.host_str().unwrap_or("the target")
    }

    fn address(&self, path: &str) -> Option<Url> {
        serve::join(&self.url, path).parse().ok()
    }

    /// Looks once: does it live, can it work, what does its own watch say, does it take an event.
    async fn look(&mut self) -> Look {
        match self.ask("livez", None).await {
            Err(why) => return Look::Silent(format!("it does not answer ({why})")),
            Ok((200, _)) => (),
            Ok((status, _)) => return Look::Red(format!("/livez answers {status}")),
        }
        match self.ask("readyz", None).await {
            Err(why) => return Look::Silent(format!("/readyz does not answer ({why})")),
            Ok((200, _)) => (),
            Ok((status, _)) => return Look::Red(format!("it is not ready ({status})")),
        }
        if let Some(why) = self.watch_says().await {
            return Look::Red(why);
        }
        match self.event().await {
            Some(why) => Look::Red(why),
            None => Look::Green,
        }
    }

    async fn ask(&self, path: &str, key: Option<&str>) -> Result<(u16, Vec<u8>), String> {
        let url = self.address(path).ok_or_else(|| "no such address".to_owned())?;
        let answer = self.probe.get(&url, key).await?;
        Ok((answer.status, answer.body.to_vec()))
    }

    /// What is wrong by the target's own watch, where its key is known.
    async fn watch_says(&self) -> Option<String> {
        let key = self.key.as_ref()?.expose_secret();
        let body = match self.ask("watch/state", Some(key)).await {
            Err(why) => return Some(format!("its watch does not answer ({why})")),
            Ok((200, body)) => body,
            Ok((401, _)) => return Some("its watch does not take our key".to_owned()),
            Ok((status, _)) => return Some(format!("its watch answers {status}")),
        };
        let Ok(state) = serde_json::from_slice::<State>(&body) else {
            return Some("its watch says what is not understood".to_owned());
        };
        match state.age_ms {
            None => return Some("its watch has said nothing yet".to_owned()),
            Some(age) if age > STALE_MS => {
                return Some(format!("its watch is silent for {} s", age / 1_000));
            }
            Some(_) => (),
        }
        state.verdicts.into_iter().next()
    }

    /// Sends an event of severity info now and then: it must be taken, and tells nobody.
    async fn event(&mut self) -> Option<String> {
        let key = self.outside_key.as_ref()?.expose_secret();
        if self.event_sent.is_none_or(|at| at.elapsed() >= EVENT_EVERY)
            || self.event_fault.is_some()
        {
            self.event_sent = Some(Instant::now());
            let body = json!({
                "action": "trigger", "summary": "bugle sentinel", "severity": "info",
                "source": "bugle sentinel", "dedup_key": "bugle sentinel",
            });
            let url = self.address("api/v1/events")?;
            let answer = self.probe.post(&url, Some(key), body.to_string().into()).await;
            self.event_fault = match answer {
                Ok(answer) if answer.ok() => None,
                Ok(answer) => Some(format!("it answers {} to an event", answer.status)),
                Err(why) => Some(format!("it takes no event ({why})")),
            };
        }
        self.event_fault.clone()
    }
}
