"""Notices: everything that can make a result misleading, each with its message, consequence and remedy.

A notice is stored in the result and shown in the terminal and the report.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Self

_NO_ACTION: Final = "No action is needed."


class Code(StrEnum):
    """Codes of notices, with their texts. A code is never renamed: other programs match on it."""

    message: str
    """What was found: a template over {value} and {threshold}, filled in by `suite.records.Notice.of`."""
    consequence: str
    remedy: str

    def __new__(cls, code: str, message: str, consequence: str, remedy: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.message, member.consequence, member.remedy = message, consequence, remedy
        return member

    # fmt: off
    ENERGY_ESTIMATED = ("energy_estimated",
        "Energy is estimated, not measured: {value}.",
        "Joules and grams may be off by several times, as their ranges show, and cannot show what a code change does "
        "to power.",
        "Make a sensor readable: `joulemark doctor` lists this machine's sensors and the command that enables each.")
    ENERGY_UNAVAILABLE = ("energy_unavailable",
        "Energy was not measured: {value}.",
        "This result has no joules and no grams.",
        "Run on a machine with a readable sensor, or install joulemark with its default dependencies for an estimate.")
    ENERGY_LOWER_BOUND = ("energy_lower_bound",
        "Part of the energy was not measured: {value}.",
        "Joules and grams are lower bounds.",
        "Make the missing sensor readable, or compare only with results that lack the same component.")
    WORLD_INTENSITY = ("world_intensity",
        "Emissions use the world average of {value} g/kWh, because the grid zone is unknown.",
        "Grams may be wrong by a factor of ten either way; joules are not affected.",
        "Give --zone (for example --zone CH) or --intensity, now or later: `joulemark report RUN --zone CH`.")
    OLD_INTENSITY = ("old_intensity",
        "The carbon intensity of {value} is more than {threshold} years old.",
        "Grams may be out of date; joules are not affected.",
        "Give a current value with --intensity.")
    STALE_INTENSITY = ("stale_intensity",
        "The carbon intensity is for a time {value:.0f} h away from the run (threshold {threshold:.0f} h).",
        "Grams may be those of another time of day; joules are not affected.",
        "Recompute later, when the grid's data are complete: `joulemark report RUN --zone ZONE`.")
    INTENSITY_FALLBACK = ("intensity_fallback",
        "The carbon intensity is not from the preferred source: {value}.",
        "Grams are based on a longer period or a larger area than the run's; joules are not affected.",
        "Recompute when that source is available again: `joulemark report RUN --zone ZONE`.")
    OLD_TOKEN = ("old_token",
        "{value} is the variable of CO2 Signal, a service that is now part of Electricity Maps.",
        "Its token is used anyway.",
        "Set ELECTRICITYMAPS_API_TOKEN instead.")
    TOO_FEW_TRIALS = ("too_few_trials",
        "Usable trials: {value}; an interval needs {threshold}.",
        "The result has no interval, so chance cannot be told from effect.",
        "Run more rounds: --rounds 5.")
    HIGH_VARIANCE = ("high_variance",
        "Trials vary by {value:.1%} (coefficient of variation; threshold {threshold:.0%}).",
        "Small differences cannot be detected.",
        "Stop other programs, run more rounds, or use a quieter machine.")
    NOT_STEADY = ("not_steady",
        "Trials that did not reach a steady state after warm-up: {value}.",
        "The result mixes warm-up with steady state.",
        "Close other programs; if the notice persists, the workload itself drifts on this machine.")
    TRIALS_LOST = ("trials_lost",
        "Trials that failed: {value}.",
        "The result rests on fewer trials than planned.",
        "`joulemark show` gives the reason for each.")
    SPAWNED = ("spawned",
        "Trials were started as new processes instead of forks: {value}.",
        "The run takes longer; its numbers are not affected.",
        _NO_ACTION)
    ENVIRONMENT_KEPT = ("environment_kept",
        "Your environment has variables that can change performance, and they were kept: {value}.",
        "The result holds for these settings and may differ from other people's.",
        "Unset them for a result that others can compare with.")
    ENVIRONMENT_DROPPED = ("environment_dropped",
        "Your environment has variables that Joulemark's options stand for, and trials ran without them: {value}.",
        "The result does not hold for these settings.",
        "No action is needed: --threads sets the number of threads of all frameworks alike, and nothing binds them to "
        "cores.")
    THREADS_BOUND = ("threads_bound",
        "A library bound the trials to fewer cores than they may use: {value}.",
        "The case ran on part of the machine. A framework without that library does not, so the two cannot be ranked.",
        "Find what binds: OMP_PROC_BIND, GOMP_CPU_AFFINITY or KMP_AFFINITY set by a start-up file of the interpreter, "
        "or a preloaded library.")
    RUN_INCOMPLETE = ("run_incomplete",
        "The run was interrupted: {value} planned trials were not attempted.",
        "Intervals rest on fewer trials than planned.",
        "Finish it with `joulemark run --resume RUN`.")
    CLOCK_SET_BACK = ("clock_set_back",
        "Before the run was resumed, the machine's clock was set back by {value:.0f} s or more "
        "(threshold {threshold:g} s).",
        "The date of the run, or of its later part, is wrong, and so may be the hour of the carbon intensity. "
        "The resumed part follows the earlier one without a pause; durations and joules are not affected.",
        "If the grams matter, give the intensity of the real time: `joulemark report RUN --intensity G`.")
    SIMULATED = ("simulated",
        "Power comes from a simulated sensor: {value}.",
        "Joules and grams are not those of this machine.",
        "Leave out --sensor.")
    OUTPUTS_DIFFER = ("outputs_differ",
        "Outputs differ between trials by {value:.2g} (relative; tolerance {threshold:.0g}).",
        "The trials may not have done the same work.",
        "Report it: a workload must be deterministic at its first step.")
    IDLE_DRIFT = ("idle_drift",
        "Idle power changed by {value:.1%} between start and end (threshold {threshold:.0%}).",
        "Net energy is uncertain; gross energy is not affected.",
        "Stop background programs and run again.")
    TOO_SHORT_FOR_SENSOR = ("too_short_for_sensor",
        "The window covers only {value:.0f} updates of its sensor (at least {threshold:.0f} are needed).",
        "Energy is below the sensor's resolution.",
        "Use a profile with a longer window.")
    SENSORS_DISAGREE = ("sensors_disagree",
        "The integral of the power samples is off the energy counter by {value:+.1%} (threshold {threshold:.0%}).",
        "One of the two is wrong; the counter is reported.",
        "Use a longer window; if the notice persists, compare both with a wall meter: --sensor meter:FILE.")
    NEAR_SENSOR_PERIOD = ("near_sensor_period",
        "Steps of {value:.3g} s may alias with a sensor that observes {threshold:.0%} of the time.",
        "The sensor may see the same part of every step: energy is as uncertain as its interval says.",
        "Choose another batch size, so that a step takes a little longer or shorter.")
    BOARD_THROTTLED = ("board_throttled",
        "The GPU throttled: {value}.",
        "Throughput and energy are those of a GPU at its limits; with better cooling or power supply they differ.",
        "Improve cooling and power supply, or set a power limit that the GPU can sustain.")
    BOARD_POWER_CAPPED = ("board_power_capped",
        "The GPU ran at its power limit: {value}.",
        "Throughput and energy are those of this limit. That is usual for dense work.",
        "No action is needed; compare with GPUs at the same limit.")
    BOARD_CLOCK_MOVED = ("board_clock_moved",
        "The GPU's clock moved {value}.",
        "The window is not a steady state: throughput and power are averages over different clocks.",
        "Warm the GPU up for longer, or lock its clocks: `nvidia-smi --lock-gpu-clocks`.")
    BOARD_SHARED = ("board_shared",
        "The GPU is shared: {value}.",
        "Its energy includes that of its other users.",
        "Use a GPU that nobody else uses.")
    CPU_NOT_KNOWN = ("cpu_not_known",
        "The estimate is a guess, because the power model does not know this processor: {value}.",
        "Its interval is wider than usual, and may still be too narrow.",
        "Make a sensor readable: `joulemark doctor` lists the sensors of this machine.")
    LAUNCH_BOUND = ("launch_bound",
        "The GPU was busy for {value:.0%} of a step (threshold {threshold:.0%}), and twice the batch size raises "
        "throughput by half or more.",
        "The CPU, which starts the GPU's kernels one by one, sets the pace: a faster GPU would give the same result.",
        "Give each kernel more to do, or start fewer: a larger --batch-size, --size base, or a compiled --mode.")
    GPU_IDLE = ("gpu_idle",
        "GPU idle, cause unknown: it was busy for {value:.0%} of a step (threshold {threshold:.0%}).",
        "The result is not that of the GPU alone: it waits for the CPU, for copies, or for other programs.",
        "Look at a step in the framework's profiler; try a larger --batch-size and a compiled --mode.")
    RETRACED = ("retraced",
        "The step was traced or compiled again {value:.0f} times inside windows.",
        "The result includes compilation.",
        "Look for Python numbers or shapes that change from step to step; report it if the workload is a bundled one.")
    MEMORY_CHURN = ("memory_churn",
        "Each step takes {value:,.0f} page faults (threshold {threshold:.0f}): memory is returned to the kernel and "
        "requested again.",
        "The step is slower and noisier than the framework's arithmetic.",
        "In your own programs, set MALLOC_TRIM_THRESHOLD_=2147483647 MALLOC_TOP_PAD_=67108864 MALLOC_MMAP_MAX_=0 "
        "(glibc), or use another allocator; here, use --allocator retain. If it is in use already, threads of the "
        "framework have heaps of their own that it does not cover: MALLOC_ARENA_MAX=1 stops the page faults, but has "
        "not made steps faster.")
    MACHINE_BUSY = ("machine_busy",
        "Other work kept the threads off the CPU for {value:.1%} of the time (threshold {threshold:.0%}).",
        "Throughput is lower and varies more than on an idle machine.",
        "Stop other programs, or run when the host is quiet.")
    CGROUP_THROTTLED = ("cgroup_throttled",
        "The container's CPU quota throttled the threads for {value:.1%} of the time (threshold {threshold:.0%}).",
        "The result measures the quota.",
        "Raise the quota, or use fewer --threads than it allows cores.")
    FREQUENCY_SCALING = ("frequency_scaling",
        "The CPU's frequency governor is {value}.",
        "Clock frequencies change with load and temperature, and results with them.",
        "sudo cpupower frequency-set -g performance")
    NOISY_FLOOR = ("noisy_floor",
        "A fixed loop without any framework varied by {value:.1%} over the run (threshold {threshold:.0%}).",
        "The machine's own speed changed. Cases measured turn by turn share much of that, so their ratios can be "
        "steadier; comparisons with another run cannot.",
        "Stop other programs, or use a quieter machine.")
    FLOOR_NOT_MEASURED = ("floor_not_measured",
        "The noise floor was not measured: {value}.",
        "How much of the variation between trials is the machine's own is unknown.",
        "Results are not affected. `joulemark doctor` measures the floor alone, and gives the same reason.")
    MODE_DIFFERS = ("mode_differs",
        "The first outputs differ from those of eager mode by {value:.2g} (relative; tolerance {threshold:.0g}).",
        "The compiled step may not do the same work.",
        "Report it with the versions of the framework and its compiler.")
    BEYOND_PEAK = ("beyond_peak",
        "The matrix product ran at {value:.2f} times the probed peak (threshold {threshold:.0f}).",
        "Something was not timed: a kernel that had not finished, or work that was left out.",
        "Report it with the run file.")
    BEYOND_ROOF = ("beyond_roof",
        "The case ran at {value:.2f} times what the probes make attainable (threshold {threshold:.0f}).",
        "Caches, or an algorithm with fewer operations (Winograd, FFT), did better than the formula assumes.",
        _NO_ACTION)
    WHOLE_MACHINE = ("whole_machine",
        "Energy is that of the whole processor and of whole GPUs: {value}.",
        "Joules and grams include what other programs used meanwhile; no sensor tells programs apart.",
        "Run it alone on the machine.")
    # fmt: on


INVALIDATING: Final = frozenset(
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
        Code.THREADS_BOUND,
        Code.BOARD_THROTTLED,
        Code.BOARD_SHARED,
        Code.TOO_SHORT_FOR_SENSOR,
        Code.TOO_FEW_TRIALS,
    }
)
"""Notices that make a case invalid: `--strict` then exits with 4."""
