//! What processes have used, read from `/proc`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

/// Clock ticks in a second: the same on every Linux, whatever the kernel's own clock.
const TICKS: f64 = 100.0;

/// One process, as far as we ask.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    parent: u32,
    /// Its own ticks and those of its children that have ended.
    ticks: u64,
}

/// CPU seconds that a process, all that came from it, and those of them that ended have used.
pub(crate) fn cpu_seconds(root: u32) -> Result<f64> {
    let mut processes = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").context("could not read /proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // It may have ended since it was listed.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        if let Some(process) = parse(&stat) {
            processes.insert(pid, process);
        }
    }
    Ok(ticks_of(&processes, root) / TICKS)
}

/// Resident memory of a process, in MiB.
pub(crate) fn memory_mib(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("could not read the memory of process {pid}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(kib.context("a process without resident memory")? / 1024.0)
}

#[expect(clippy::cast_precision_loss, reason = "ticks of a process stay far below 2^52")]
fn ticks_of(processes: &BTreeMap<u32, Process>, root: u32) -> f64 {
    let is_of = |mut pid: u32| {
        // Longer chains of parents do not exist; a loop cannot either.
        for _ in 0..100 {
            if pid == root {
                return true;
            }
            match processes.get(&pid) {
                Some(process) => pid = process.parent,
                None => return false,
            }
        }
        false
    };
    let ticks = processes.iter().filter(|&(&pid, _)| is_of(pid)).map(|(_, process)| process.ticks);
    ticks.sum::<u64>() as f64
}

/// Reads `/proc/PID/stat`. The name in it is in brackets and may hold anything.
fn parse(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Process { parent: fields.get(1)?.parse().ok()?, ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_of_the_kernel() {
        let stat = "26 (a) b) S 7 26 26 0 -1 4194560 100 0 0 0 10 5 3 2 20 0 1 0 100 0 0";
        assert_eq!(parse(stat), Some(Process { parent: 7, ticks: 20 }));
    }

    #[test]
    fn sums_a_tree_and_nothing_else() {
        let process = |parent, ticks| Process { parent, ticks };
        let all = BTreeMap::from([
            (1, process(0, 1)),
            (2, process(1, 10)),
            (3, process(2, 100)),
            (4, process(1, 1_000)),
        ]);
        assert_eq!(ticks_of(&all, 2).to_string(), "110");
    }

    #[test]
    fn this_process_has_memory() {
        assert!(memory_mib(std::process::id()).unwrap() > 0.5);
        assert!(cpu_seconds(std::process::id()).unwrap() >= 0.0);
    }
}
