// Latents from seeds: the numbers of tfgan_suite/ops/random.py and ops/priors.py, so that a seed has the same image here as at the server's
// `sample` and `interpolate`. TensorFlow computes in float32; Math.fround rounds where it does.

const f32 = Math.fround;
const TWO_PI = f32(2 * Math.PI);
const CANDIDATES = 32;
const ROTATIONS = [[13, 15, 26, 6], [17, 29, 16, 24]];

/** Threefry-2x32 with 20 rounds (Salmon et al. 2011, section 3.3): two uint32 of a key and two of a counter -> two uint32. */
export function threefry([k0, k1], [c0, c1]) {
  const keys = [k0, k1, (k0 ^ k1 ^ 0x1bd11bda) >>> 0];
  let x = (c0 + k0) >>> 0;
  let y = (c1 + k1) >>> 0;
  for (let group = 0; group < 5; group++) {
    for (const distance of ROTATIONS[group % 2]) {
      x = (x + y) >>> 0;
      y = (((y << distance) | (y >>> (32 - distance))) ^ x) >>> 0;
    }
    x = (x + keys[(group + 1) % 3]) >>> 0;
    y = (y + keys[(group + 2) % 3] + group + 1) >>> 0;
  }
  return [x, y];
}

/** Two numbers in [0, 1) of 24 bits, a function of the seed's key, which number of a row it is, and which draw of it. */
function uniforms(key, number, draw) {
  return threefry(key, [number, draw]).map((bits) => (bits >>> 8) * 2 ** -24);
}

/** Box-Muller. */
function normal(key, number, draw) {
  const [first, second] = uniforms(key, number, draw);
  return f32(f32(Math.sqrt(f32(-2 * f32(Math.log(1 - first))))) * f32(Math.cos(f32(TWO_PI * second))));
}

/** The first of the draws with a magnitude up to the truncation; the last one, clipped, where there is none. */
function truncatedNormal(key, number, truncation) {
  let value = 0;
  for (let draw = 0; draw < CANDIDATES; draw++) {
    value = normal(key, number, draw);
    if (Math.abs(value) <= truncation) return value;
  }
  return Math.min(Math.max(value, -truncation), truncation);
}

function uniform(limit) {
  return (key, number, truncation) => f32(f32(2 * uniforms(key, number, 0)[0] - 1) * f32(Math.min(truncation, limit)));
}

const PRIORS = {
  normal: { draw: truncatedNormal, between: spherical },
  uniform: { draw: uniform(1), between: straight },
  uniform_unit_variance: { draw: uniform(Math.sqrt(3)), between: straight },
};

/** Latents [size] of one seed (any BigInt; its lowest 64 bits count). `prior`: a key of PRIORS. */
export function fromSeed(prior, seed, size, truncation) {
  const bits = BigInt.asUintN(64, seed);
  const key = [Number(bits & 0xffffffffn), Number(bits >> 32n)];
  const threshold = f32(truncation);
  return Float32Array.from({ length: size }, (_, number) => PRIORS[prior].draw(key, number, threshold));
}

/** Latents on the way from a to b, at a share from 0 to 1 of it: along the great circle for a normal prior, else straight. */
export function between(prior, a, b, share) {
  if (share <= 0) return a;
  if (share >= 1) return b;
  return PRIORS[prior].between(a, b, share);
}

function straight(a, b, share) {
  return a.map((value, i) => (1 - share) * value + share * b[i]);
}

function spherical(a, b, share) {
  const p = unit(a);
  const q = unit(b);
  const angle = 2 * Math.atan2(Math.hypot(...p.map((x, i) => x - q[i])), Math.hypot(...p.map((x, i) => x + q[i])));
  const sine = Math.sin(angle);
  if (sine < 1e-6) return straight(a, b, share);
  const [fromA, fromB] = [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  return a.map((value, i) => fromA * value + fromB * b[i]);
}

function unit(vector) {
  const length = Math.hypot(...vector) || 1;
  return Array.from(vector, (value) => value / length);
}
