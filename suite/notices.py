"""Notices: one enum of all that can make a result mislead, each with its consequence and remedy.

A notice is stored in the result and shown in the terminal and the report. Texts are templates over `value` and
`threshold`, filled in by `suite.records.Notice.of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What a notice can say. A code is never renamed: other programs match on it."""

    ENERGY_ESTIMATED = "energy_estimated"
    ENERGY_UNAVAILABLE = "energy_unavailable"
    ENERGY_LOWER_BOUND = "energy_lower_bound"
    WORLD_INTENSITY = "world_intensity"
    OLD_INTENSITY = "old_intensity"
    STALE_INTENSITY = "stale_intensity"
    INTENSITY_FALLBACK = "intensity_fallback"
    OLD_TOKEN = "old_token"
    TOO_FEW_TRIALS = "too_few_trials"
    HIGH_VARIANCE = "high_variance"
    NOT_STEADY = "not_steady"
    TRIALS_LOST = "trials_lost"
    SPAWNED = "spawned"
    ENVIRONMENT_KEPT = "environment_kept"
    RUN_INCOMPLETE = "run_incomplete"
    SIMULATED = "simulated"
    OUTPUTS_DIFFER = "outputs_differ"
    IDLE_DRIFT = "idle_drift"
    TOO_SHORT_FOR_SENSOR = "too_short_for_sensor"
    SENSORS_DISAGREE = "sensors_disagree"
    NEAR_SENSOR_PERIOD = "near_sensor_period"
    BOARD_THROTTLED = "board_throttled"
    BOARD_POWER_CAPPED = "board_power_capped"
    BOARD_CLOCK_MOVED = "board_clock_moved"
    BOARD_SHARED = "board_shared"
    CPU_NOT_KNOWN = "cpu_not_known"
    RETRACED = "retraced"
    MEMORY_CHURN = "memory_churn"
    MACHINE_BUSY = "machine_busy"
    CGROUP_THROTTLED = "cgroup_throttled"
    FREQUENCY_SCALING = "frequency_scaling"
    NOISY_FLOOR = "noisy_floor"
    FLOOR_NOT_MEASURED = "floor_not_measured"
    MODE_DIFFERS = "mode_differs"
    BEYOND_PEAK = "beyond_peak"
    BEYOND_ROOF = "beyond_roof"
    WHOLE_MACHINE = "whole_machine"


@dataclass(frozen=True)
class Text:
    """Sentences of a notice; `message` may use {value} and {threshold}."""

    message: str
    consequence: str
    remedy: str


TEXTS: dict[Code, Text] = {
    Code.ENERGY_ESTIMATED: Text(
        "Energy is estimated, not measured: {value}.",
        "Joules and grams may be off by several times, as their ranges say, and do not show what a change of code "
        "does to power.",
        "Make a sensor readable: `joulemark doctor` names what this machine has and the command that opens it.",
    ),
    Code.ENERGY_UNAVAILABLE: Text(
        "Energy was not measured: {value}.",
        "There are no joules and no grams for this result.",
        "Run on a machine with a readable sensor, or install joulemark with its default dependencies for an estimate.",
    ),
    Code.ENERGY_LOWER_BOUND: Text(
        "A part of the energy was not measured: {value}.",
        "Joules and grams are lower bounds.",
        "Make the missing sensor readable, or compare only with results that lack the same part.",
    ),
    Code.WORLD_INTENSITY: Text(
        "Emissions use the world's average of {value} g/kWh: no zone is known.",
        "Grams may be wrong by a factor of ten either way; joules are not affected.",
        "Give --zone (for example --zone CH) or --intensity, also afterwards: `joulemark report RUN --zone CH`.",
    ),
    Code.OLD_INTENSITY: Text(
        "The carbon intensity of {value} is of a year more than {threshold} years back.",
        "Grams may be out of date; joules are not affected.",
        "Give a current value with --intensity.",
    ),
    Code.STALE_INTENSITY: Text(
        "The carbon intensity is of an hour {value:.0f} h away from the run (threshold {threshold:.0f} h).",
        "Grams may be those of another time of day; joules are not affected.",
        "Recompute later, when the grid's data is complete: `joulemark report RUN --zone ZONE`.",
    ),
    Code.INTENSITY_FALLBACK: Text(
        "The carbon intensity is not from the source asked for first: {value}.",
        "Grams are of a longer time or a larger place than the run's; joules are not affected.",
        "Recompute once that source answers: `joulemark report RUN --zone ZONE`.",
    ),
    Code.OLD_TOKEN: Text(
        "{value} is the variable of CO2 Signal, a service that is now a part of Electricity Maps.",
        "Its token is used all the same.",
        "Set ELECTRICITYMAPS_API_TOKEN instead.",
    ),
    Code.TOO_FEW_TRIALS: Text(
        "Trials that counted: {value}; an interval needs {threshold}.",
        "The result has no interval, so that chance cannot be told from effect.",
        "Run more rounds: --rounds 5.",
    ),
    Code.HIGH_VARIANCE: Text(
        "Trials vary by {value:.1%} (coefficient of variation; threshold {threshold:.0%}).",
        "Small differences cannot be told apart.",
        "Stop other programs, run more rounds, or use a quieter machine.",
    ),
    Code.NOT_STEADY: Text(
        "Trials that did not become steady after warm-up: {value}.",
        "The result mixes warm-up with steady state.",
        "Close other programs; if it stays, the workload itself drifts on this machine.",
    ),
    Code.TRIALS_LOST: Text(
        "Trials that failed: {value}.",
        "The result rests on fewer trials than planned.",
        "See the trials' reasons in `joulemark show`.",
    ),
    Code.SPAWNED: Text(
        "Trials were started as new processes instead of forks: {value}.",
        "The run takes longer; its numbers are not affected.",
        "Nothing needs to be done.",
    ),
    Code.ENVIRONMENT_KEPT: Text(
        "Variables from your environment that can change performance were kept: {value}.",
        "The result holds for these settings and may differ from others'.",
        "Unset them for a result that others can compare with.",
    ),
    Code.RUN_INCOMPLETE: Text(
        "The run was interrupted: {value} planned trials were not attempted.",
        "Intervals rest on fewer trials than planned.",
        "`joulemark run --resume RUN` goes on with it.",
    ),
    Code.SIMULATED: Text(
        "Power comes from a simulated sensor: {value}.",
        "Joules and grams are not of this machine.",
        "Leave out --sensor.",
    ),
    Code.OUTPUTS_DIFFER: Text(
        "Outputs of the trials differ by {value:.2g} (relative; tolerance {threshold:.0g}).",
        "The trials may not have done the same work.",
        "Report it: a workload must be deterministic at its first step.",
    ),
    Code.IDLE_DRIFT: Text(
        "Idle power changed by {value:.1%} between the start and the end (threshold {threshold:.0%}).",
        "Net energy is uncertain; gross energy is not affected.",
        "Stop background programs and run again.",
    ),
    Code.RETRACED: Text(
        "The step was traced or compiled anew {value:.0f} times inside windows.",
        "The result includes compilation.",
        "Look for Python numbers or shapes that change from step to step; in a bundled workload, report it.",
    ),
    Code.MEMORY_CHURN: Text(
        "Each step takes {value:,.0f} page faults (threshold {threshold:.0f}): memory is given back to the kernel and "
        "asked for again.",
        "The step is slower and noisier than the framework's arithmetic.",
        "In your own programs: MALLOC_TRIM_THRESHOLD_=2147483647 MALLOC_TOP_PAD_=67108864 MALLOC_MMAP_MAX_=0 in the "
        "environment (glibc), or another allocator; here: --allocator retain. Where that is so already, threads of "
        "the framework have heaps that it does not hold: MALLOC_ARENA_MAX=1 ends that, and brought no speed.",
    ),
    Code.MACHINE_BUSY: Text(
        "Other work held the threads off the CPU for {value:.1%} of the time (threshold {threshold:.0%}).",
        "Throughput is lower, and varies more, than on an idle machine.",
        "Stop other programs, or run when the host is quiet.",
    ),
    Code.CGROUP_THROTTLED: Text(
        "The container's CPU quota held the threads back for {value:.1%} of the time (threshold {threshold:.0%}).",
        "The result measures the quota.",
        "Raise the quota, or give fewer --threads than cores in it.",
    ),
    Code.FREQUENCY_SCALING: Text(
        "The CPU's frequency governor is {value}.",
        "Clocks move with load and temperature, and results with them.",
        "sudo cpupower frequency-set -g performance",
    ),
    Code.NOISY_FLOOR: Text(
        "A fixed loop without any framework varied by {value:.1%} over the run (threshold {threshold:.0%}).",
        "The machine's own speed moved. Cases measured turn by turn share much of that, so that their ratios can be "
        "steadier; what is held against another run cannot.",
        "Stop other programs, or use a quieter machine.",
    ),
    Code.FLOOR_NOT_MEASURED: Text(
        "The noise floor was not measured: {value}.",
        "What part of the trials' variation is the machine's own is not known.",
        "Results are not affected. `joulemark doctor` measures the floor alone, and says the same reason.",
    ),
    Code.BEYOND_PEAK: Text(
        "The matrix product ran at {value:.2f} times the peak that was probed (threshold {threshold:.0f}).",
        "Something was not timed: a kernel that had not ended, or work that was left out.",
        "Report it with the run file.",
    ),
    Code.BEYOND_ROOF: Text(
        "The case ran at {value:.2f} times what the probes make attainable (threshold {threshold:.0f}).",
        "Caches or an algorithm with fewer operations (Winograd, FFT) did better than the formula assumes.",
        "Nothing needs to be done.",
    ),
    Code.MODE_DIFFERS: Text(
        "The first outputs differ from eager mode's by {value:.2g} (relative; tolerance {threshold:.0g}).",
        "The compiled step may not do the same work.",
        "Report it with the versions of the framework and its compiler.",
    ),
    Code.SENSORS_DISAGREE: Text(
        "Power samples integrate to {value:+.1%} of the energy counter beside them (threshold {threshold:.0%}).",
        "One of the two is wrong; the counter is reported.",
        "Use a longer window; if it stays, compare both with a wall meter: --sensor meter:FILE.",
    ),
    Code.NEAR_SENSOR_PERIOD: Text(
        "Steps of {value:.3g} s keep pace with a sensor that looks only at {threshold:.0%} of the time.",
        "The sensor may see the same part of every step: energy is uncertain by what its interval says.",
        "Choose another batch size, so that a step takes a little longer or shorter.",
    ),
    Code.BOARD_THROTTLED: Text(
        "The board held its clocks down: {value}.",
        "Throughput and energy are of a board at its limits, and differ from one that is cooled and supplied better.",
        "Improve cooling and power supply, or set a power limit that it can hold.",
    ),
    Code.BOARD_POWER_CAPPED: Text(
        "The board ran at its power limit: {value}.",
        "Throughput and energy are those of this limit. That is usual for dense work.",
        "Nothing needs to be done; compare with boards of the same limit.",
    ),
    Code.BOARD_CLOCK_MOVED: Text(
        "The board's clock moved {value}.",
        "The window is no steady state: throughput and power are averages over unlike clocks.",
        "Warm the board up for longer, or lock its clocks: `nvidia-smi --lock-gpu-clocks`.",
    ),
    Code.BOARD_SHARED: Text(
        "The board is shared: {value}.",
        "Its energy is that of all who use it.",
        "Use a board of your own.",
    ),
    Code.CPU_NOT_KNOWN: Text(
        "The estimate rests on a guess, since it does not know this processor: {value}.",
        "Its interval is wider than usual, and may still be too narrow.",
        "Make a sensor readable: `joulemark doctor` names what this machine has.",
    ),
    Code.WHOLE_MACHINE: Text(
        "Energy is that of the whole processor and of whole boards: {value}.",
        "What other programs drew meanwhile is in the joules and grams; no sensor tells programs apart.",
        "Run it alone on the machine.",
    ),
    Code.TOO_SHORT_FOR_SENSOR: Text(
        "The window spans only {value:.0f} updates of its sensor (at least {threshold:.0f} are needed).",
        "Energy is below the sensor's resolution.",
        "Use a profile with a longer window.",
    ),
}


INVALIDATING = frozenset(
    {
        Code.HIGH_VARIANCE,
        Code.NOT_STEADY,
        Code.TRIALS_LOST,
        Code.OUTPUTS_DIFFER,
        Code.MODE_DIFFERS,
        Code.BEYOND_PEAK,
        Code.RETRACED,
        Code.MACHINE_BUSY,
        Code.CGROUP_THROTTLED,
        Code.BOARD_THROTTLED,
        Code.BOARD_SHARED,
        Code.TOO_SHORT_FOR_SENSOR,
        Code.TOO_FEW_TRIALS,
    }
)
"""Notices with which a case is not valid: `--strict` then exits with 4."""
