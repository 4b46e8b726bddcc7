// Numbers as text, by the rules of suite/units.py and suite/results/table.py; a test compares the two.
const PREFIXES = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n']];

function prefix(value) {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(size)) return [1, ''];
  return PREFIXES.find(([factor]) => size >= factor * 0.9995) || PREFIXES[PREFIXES.length - 1];
}

function fixed(value, places) {
  if (places > 20) return value.toExponential(1); // more than people read, and than browsers can write
  const step = 10 ** Math.max(0, -places);
  return (places < 0 ? Math.round(value / step) * step : value).toLocaleString('en-US', {
    minimumFractionDigits: Math.max(0, places), maximumFractionDigits: Math.max(0, places),
  });
}

function significant(value, digits = 3) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const places = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  if (places > 20) return value.toExponential(digits - 1);
  const rounded = Number(places >= 0 ? value.toFixed(places) : Math.round(value * 10 ** places) / 10 ** places);
  return fixed(rounded, digits - 1 - Math.floor(Math.log10(Math.abs(rounded))));
}

// The interval at two significant digits, the value rounded to match; three digits without an interval.
// An upper end over 1,000 times the value says nothing.
function matchingDigits(value, low, high) {
  if (low === null || high === null) return [significant(value), '', ''];
  const half = value - low;
  if (half <= 0) { const text = significant(value, 4); return [text, text, text]; }
  let places = 1 - Math.floor(Math.log10(half));
  if (value > 0) places = Math.min(places, 5 - Math.floor(Math.log10(value)));
  const highest = value * 1000;
  const end = highest > 0 && highest < high ? `over ${significant(highest, 2)}` : fixed(high, places);
  return [fixed(value, places), fixed(low, places), end];
}

// The prefix that suits the median of a column.
function columnPrefix(values) {
  const sizes = values.filter((value) => value).map(Math.abs).sort((a, b) => a - b);
  return sizes.length ? prefix(sizes[Math.floor(sizes.length / 2)]) : [1, ''];
}

const prefixed = (value, unit) => {
  const [factor, name] = prefix(value);
  return `${significant(value / factor)} ${name}${unit}`;
};

// In tonnes from a million grams.
const weight = (grams) => (Math.abs(grams) >= 0.9995e6 ? prefixed(grams / 1e6, 't') : prefixed(grams, 'g'));

const rounded6 = (value) => (value === null ? null : Number(value.toPrecision(6)));

// Ticks of a logarithmic axis, as in reports/plotting/axes.py.
function ticks(low, high) {
  const span = high - low;
  const mantissas = span < 0.5 ? [1, 1.1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9]
    : span < 1.1 ? [1, 1.5, 2, 3, 5, 7] : span < 3 ? [1, 2, 5] : [1];
  const step = span >= 3 ? Math.max(1, Math.ceil(span / 8)) : 1;
  const values = [];
  for (let decade = Math.floor(low); decade <= Math.ceil(high); decade += 1) {
    for (const mantissa of mantissas) {
      const place = Math.log10(mantissa) + decade;
      if (low <= place && place <= high && decade % step === 0) values.push(mantissa * 10 ** decade);
    }
  }
  return { tickvals: values.map(rounded6), ticktext: values.map((value) => {
    const [factor, name] = prefix(value);
    return Number((value / factor).toPrecision(6)) + name;
  }) };
}
