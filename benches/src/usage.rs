//! Processor time and memory of a process, as counted by the operating system.

use std::time::Duration;

use anyhow::{Context, Result};

/// Returns the user and system time of all threads of a process in nanoseconds; `/proc/PID/stat` only has 10 ms ticks.
#[cfg(target_os = "linux")]
pub fn processor_time(pid: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).context("the process has exited")? {
        // A thread can exit during the iteration.
        if let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) {
            let first = text.split_whitespace().next();
            nanoseconds += first.context("schedstat is empty")?.parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Returns the peak memory of a process, in bytes.
#[cfg(target_os = "linux")]
pub fn peak_memory(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes
        .context("the process has no VmHWM")?
        .trim()
        .parse::<u64>()?
        * 1024)
}

/// The same to the hundredth of a second, the precision of `ps` on macOS.
#[cfg(not(target_os = "linux"))]
pub fn processor_time(pid: u32) -> Result<Duration> {
    let text = ps(pid, "time=")?;
    let seconds = text.split(':').try_fold(0.0, |sum, part| {
        part.parse::<f64>().map(|part| sum * 60.0 + part)
    })?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Returns the current memory of a process: on macOS only the process itself can read its peak.
#[cfg(not(target_os = "linux"))]
pub fn peak_memory(pid: u32) -> Result<u64> {
    Ok(ps(pid, "rss=")?.parse::<u64>()? * 1024)
}

#[cfg(not(target_os = "linux"))]
fn ps(pid: u32, field: &str) -> Result<String> {
    let pid = pid.to_string();
    let output = std::process::Command::new("ps")
        .args(["-o", field, "-p", &pid])
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
