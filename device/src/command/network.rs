//! The network as far as e-mail needs it: SIM, registration, attachment, signal, socket contexts
//! (SIM5320 manual; TS 27.007; note 3.1 and 4.1 for `AT+CGSOCKCONT`).

use super::pop3::Phase;
use super::{Answer, Command, Errors, Flow, Test};
use crate::at::result::CmeError;
use crate::at::value::Values;
use crate::core::{Action, Core};
use crate::smtp::Outcome;
use crate::{pop3, urc};
use std::collections::BTreeMap;

/// Attachment, socket contexts and what the DTE wants to hear of the registration.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Whether the module is attached to the packet domain (`AT+CGATT`).
    attached: bool,
    contexts: BTreeMap<u32, Context>,
    /// The context that applications use (`AT+CSOCKSETPN`).
    selected: u32,
    /// `AT+CREG=`.
    circuit_reports: u32,
    /// `AT+CGREG=`.
    packet_reports: u32,
}

#[derive(Clone, Debug, Default)]
struct Context {
    kind: String,
    apn: String,
    address: String,
    data_compression: u32,
    header_compression: u32,
    /// `AT+CSOCKAUTH`: 0 none, 1 PAP, 2 CHAP, 3 either. There is no carrier here that would ask
    /// for user and password, so those are not kept.
    authentication: u32,
}

impl Default for Network {
    /// The module attaches itself; context 1 is there from the factory.
    fn default() -> Self {
        let context = Context {
            kind: "IP".into(),
            address: "0.0.0.0".into(),
            ..Context::default()
        };
        Self {
            attached: true,
            contexts: BTreeMap::from([(1, context)]),
            selected: 1,
            circuit_reports: 0,
            packet_reports: 0,
        }
    }
}

impl Network {
    /// Whether applications have a network: the module is attached, and the context that they use
    /// is defined.
    pub(crate) fn is_available(&self) -> bool {
        self.attached && self.contexts.contains_key(&self.selected)
    }
}

const fn numbered(name: &'static str) -> Command {
    Command {
        errors: Errors::Numbered,
        ..Command::new(name)
    }
}

pub(super) const COMMANDS: &[Command] = &[
    Command {
        read: Some(|core| {
            core.say("+CPIN: READY");
            Ok(Flow::Done)
        }),
        // The SIM asks for nothing, so nothing can be entered.
        set: Some(|_, _| Err(CmeError::NotAllowed.into())),
        ..numbered("+CPIN")
    },
    Command {
        test: Test::Lines(&["+CREG: (0-1)"]),
        read: Some(|core| {
            core.say(format!("+CREG: {},1", core.network.circuit_reports));
            Ok(Flow::Done)
        }),
        set: Some(|core, values| set_reports(&mut core.network.circuit_reports, values)),
        ..numbered("+CREG")
    },
    Command {
        test: Test::Lines(&["+CGREG: (0-1)"]),
        read: Some(|core| {
            let Network {
                packet_reports,
                attached,
                ..
            } = core.network;
            core.say(format!("+CGREG: {packet_reports},{}", u8::from(attached)));
            Ok(Flow::Done)
        }),
        set: Some(|core, values| set_reports(&mut core.network.packet_reports, values)),
        ..numbered("+CGREG")
    },
    Command {
        test: Test::Lines(&["+CGATT: (0,1)"]),
        read: Some(|core| {
            core.say(format!("+CGATT: {}", u8::from(core.network.attached)));
            Ok(Flow::Done)
        }),
        set: Some(attach),
        ..numbered("+CGATT")
    },
    Command {
        test: Test::Lines(&["+CSQ: (0-31,99),(0-7,99)"]),
        execute: Some(|core| {
            core.say("+CSQ: 21,99");
            Ok(Flow::Done)
        }),
        ..numbered("+CSQ")
    },
    Command {
        test: Test::Lines(&[
            "+CGSOCKCONT: (1-16),\"IP\",,,(0,1),(0,1)",
            "+CGSOCKCONT: (1-16),\"PPP\",,,(0,1),(0,1)",
            "+CGSOCKCONT: (1-16),\"IPV6\",,,(0,1),(0,1)",
        ]),
        read: Some(read_contexts),
        set: Some(set_context),
        ..numbered("+CGSOCKCONT")
    },
    Command {
        test: Test::Lines(&["+CSOCKSETPN: (1-16)"]),
        read: Some(|core| {
            core.say(format!("+CSOCKSETPN: {}", core.network.selected));
            Ok(Flow::Done)
        }),
        set: Some(select_context),
        execute: Some(|core| {
            core.network.selected = 1;
            Ok(Flow::Done)
        }),
        ..numbered("+CSOCKSETPN")
    },
    Command {
        test: Test::Lines(&["+CSOCKAUTH: (1-16),(0-3),127,127"]),
        read: Some(read_authentication),
        set: Some(set_authentication),
        ..numbered("+CSOCKAUTH")
    },
];

const CONTEXTS: std::ops::RangeInclusive<u32> = 1..=16;
const APN_MAX: usize = 100;
const ADDRESS_MAX: usize = 45;
const CREDENTIAL_MAX: usize = 127;

fn set_reports(reports: &mut u32, mut values: Values<'_>) -> Answer {
    let wanted = values.number(0..=1)?;
    values.end()?;
    *reports = wanted;
    Ok(Flow::Done)
}

/// TS 27.007 10.1.9. Who is attached is registered with the packet domain (`AT+CGREG`); the
/// registration with the circuit domain (`AT+CREG`) is another one and stays.
fn attach(core: &mut Core, mut values: Values<'_>) -> Answer {
    let attached = values.number(0..=1)? == 1;
    values.end()?;
    if std::mem::replace(&mut core.network.attached, attached) == attached {
        return Ok(Flow::Done);
    }
    if !attached {
        cut_sessions(core);
    }
    if core.network.packet_reports == 1 {
        core.report(&[format!("+CGREG: {}", u8::from(attached))]);
    }
    Ok(Flow::Done)
}

/// Without a network no session lasts. A sending ends in `NETWORK ERROR` ("Network is unavailable
/// for SMTP"), the transfer of a mail in `FAILURE` as whenever its link is lost; of a session that
/// waits for a command nothing is reported.
fn cut_sessions(core: &mut Core) {
    if core.smtp.is_sending() {
        let outcome = Outcome::NetworkError;
        core.smtp.ended(&outcome);
        core.report(&[urc::Smtp::Ended(&outcome).line()]);
        core.actions.push_back(Action::StopSending);
    }
    match std::mem::replace(&mut core.pop3.phase, Phase::LoggedOut) {
        Phase::LoggedOut => return,
        Phase::LoggedIn => {}
        Phase::Busy => core.report(&[urc::pop3_failure(pop3::Failure::Failure)]),
    }
    core.actions.push_back(Action::StopPop3);
}

fn read_contexts(core: &mut Core) -> Answer {
    let lines: Vec<_> = core
        .network
        .contexts
        .iter()
        .map(|(number, context)| {
            let Context {
                kind,
                apn,
                address,
                data_compression,
                header_compression,
                ..
            } = context;
            format!(
                "+CGSOCKCONT: {number},\"{kind}\",\"{apn}\",\"{address}\",\
                 {data_compression},{header_compression}"
            )
        })
        .collect();
    core.say_all(&lines);
    Ok(Flow::Done)
}

fn set_context(core: &mut Core, mut values: Values<'_>) -> Answer {
    let number = values.number(CONTEXTS)?;
    let kind = values.optional_text(4)?;
    let apn = values.optional_text(APN_MAX)?;
    let address = values.optional_text(ADDRESS_MAX)?;
    let data_compression = values.optional_number(0..=1)?;
    let header_compression = values.optional_number(0..=1)?;
    values.end()?;
    let contexts = &mut core.network.contexts;
    let Some(kind) = kind else {
        contexts.remove(&number);
        return Ok(Flow::Done);
    };
    if !["IP", "PPP", "IPV6"].contains(&kind.as_str()) {
        return Err(super::Refusal::Value);
    }
    let authentication = contexts
        .get(&number)
        .map_or(0, |context| context.authentication);
    let context = Context {
        kind,
        apn: apn.unwrap_or_default(),
        address: address.unwrap_or_else(|| "0.0.0.0".to_owned()),
        data_compression: data_compression.unwrap_or_default(),
        header_compression: header_compression.unwrap_or_default(),
        authentication,
    };
    contexts.insert(number, context);
    Ok(Flow::Done)
}

fn select_context(core: &mut Core, mut values: Values<'_>) -> Answer {
    let number = values.number(CONTEXTS)?;
    values.end()?;
    core.network.selected = number;
    Ok(Flow::Done)
}

fn read_authentication(core: &mut Core) -> Answer {
    let contexts = &core.network.contexts;
    let lines: Vec<_> = contexts
        .iter()
        .map(|(number, context)| format!("+CSOCKAUTH: {number},{}", context.authentication))
        .collect();
    core.say_all(&lines);
    Ok(Flow::Done)
}

/// The password comes before the user (SIM5320 manual; drivers do the same).
fn set_authentication(core: &mut Core, mut values: Values<'_>) -> Answer {
    let number = values.number(CONTEXTS)?;
    let kind = values.optional_number(0..=3)?.unwrap_or_default();
    let password = values.optional_text(CREDENTIAL_MAX)?;
    let user = values.optional_text(CREDENTIAL_MAX)?;
    values.end()?;
    let incomplete = kind != 0 && (password.is_none() || (kind != 2 && user.is_none()));
    match core.network.contexts.get_mut(&number) {
        Some(context) if !incomplete => context.authentication = kind,
        _ => return Err(CmeError::NotAllowed.into()),
    }
    Ok(Flow::Done)
}
