"""Elementary and Gaussian-tail functions in plain arithmetic, so that loops that call them are vectorised.

numba has no vector mathematics library: a call to libm keeps a loop scalar.  These functions are polynomials, bit
patterns and LLVM selects.  They are compiled with contraction only: under `reassoc` the rounding in `vexp` folds away
and results are wrong by percents, without a warning.  Flags travel with the instruction, so inlining into a loop with
`reassoc` is safe.  numba compiles them for tests and solvers; kernels get them through numerics.backends.llvm, which reads this file:
hence straight lines of assignments and one return, no defaults, no constants outside.
"""

# mypy: ignore-errors

from __future__ import annotations

import math

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic


@intrinsic
def sel(context, condition, yes, no):
    """`yes` where the condition holds, else `no`; both are computed."""

    def build(context, builder, signature, args):
        return builder.select(args[0], args[1], args[2])

    return types.float64(types.boolean, types.float64, types.float64), build


@intrinsic
def bits(context, number):
    """The 64 bits of a double as an integer."""

    def build(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), build


@intrinsic
def unbits(context, pattern):
    """The double that has these 64 bits."""

    def build(context, builder, signature, args):
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), build


@intrinsic
def imax(context, first, second):
    """The larger of two integers."""

    def build(context, builder, signature, args):
        return builder.select(builder.icmp_signed(">", args[0], args[1]), args[0], args[1])

    return types.int64(types.int64, types.int64), build


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def okey(x):
    """An integer that is ordered as the doubles are, NaN above all: integer maxima vectorise, floating ones do not."""
    i = bits(x)
    return i ^ ((i >> 63) & 0x7FFFFFFFFFFFFFFF)


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def unkey(i):
    """The double of a key."""
    return unbits(i ^ ((i >> 63) & 0x7FFFFFFFFFFFFFFF))


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def keymin():
    """The key of minus infinity."""
    return okey(-math.inf)


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def vexp(x):
    """exp; zero below -690, so that products with weights do not become denormal and slow."""
    y = sel(x < -690.0, -690.0, sel(x > 709.0, 709.0, x))
    k = y * 1.4426950408889634 + 6755399441055744.0
    n = bits(k) << 52
    k = k - 6755399441055744.0
    r = y - k * 0.6931471803691238
    r = r - k * 1.9082149292705877e-10
    p = 2.510038549551032e-08
    p = (((p * r + 2.7620088445409746e-07) * r + 2.7557268459997064e-06) * r + 2.4801521295954376e-05) * r + 0.00019841269863053618
    p = (((p * r + 0.0013888888917213717) * r + 0.008333333333330062) * r + 0.04166666666662413) * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    e = (r * r) * p + r + 1.0
    e = unbits(bits(e) + n)
    return sel(x < -690.0, 0.0, sel(x > 709.0, math.inf, sel(x == x, e, x)))


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def vlog(x):
    """log; minus infinity at zero, NaN below."""
    i = bits(x) - 0x3FE6A09E667F3BCD
    k = unbits((((i >> 52) + 2048) & 0xFFF) | 0x4330000000000000) - 4503599627372544.0
    f = unbits((i & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 0.1479819860511658591 * z + 0.1531383769920937332
    p = (p * z + 0.1818357216161805012) * z + 0.2222219843214978396
    p = ((p * z + 0.2857142874366239149) * z + 0.3999999999940941908) * z + 0.6666666666666735130
    h = 0.5 * f * f
    y = k * 0.6931471803691238 - ((h - (s * (h + p * z) + k * 1.9082149292705877e-10)) - f)
    return sel(x > 0.0, sel(x < math.inf, y, x), sel(x == 0.0, -math.inf, math.nan))


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def vlog1p(x):
    """log(1 + x) for x in [0, 1], by the series of artanh(x/(2 + x))."""
    s = x / (2.0 + x)
    z = s * s
    p = 0.1563057780092285
    p = (((p * z + 0.07492143795550767) * z + 0.10845178394880015) * z + 0.11734279061303197) * z + 0.13335178631449257
    p = (((p * z + 0.1538454396486055) * z + 0.18181819897962714) * z + 0.2222222219823677) * z + 0.285714285716001
    p = (p * z + 0.39999999999999525) * z + 0.6666666666666666
    return (s * z) * p + (s + s)


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def vtail(x):
    """H(x) e^(x^2/2) = erfcx(x/sqrt 2)/2 for x >= 0."""
    a = sel(x > 1e150, 1e150, x) * 0.7071067811865476
    b = a + 3.0
    c = a + a + 1.0
    d = 1.0 / (b * c)
    u = (a - 3.0) * (d * c)
    p = 4.974410473768373e-10
    p = (((p * u - 1.5847960197767835e-09) * u - 6.6809766522018965e-09) * u + 1.3889530799854428e-08) * u + 5.097858687895423e-08
    p = (((p * u - 6.019356961808287e-08) * u - 3.0838547467754787e-07) * u + 1.6824516982649156e-07) * u + 1.7362601400327593e-06
    p = (((p * u - 3.593074698151813e-07) * u - 1.0050313832203054e-05) * u + 2.472015607441464e-06) * u + 6.254968717957911e-05
    p = (((p * u - 5.257914042733627e-05) * u - 0.00038991613863712736) * u + 0.0009443450454166452) * u + 0.0012646959083998314
    p = (((p * u - 0.011885257445331136) * u + 0.03415401367196072) * u - 0.05963683170840797) * u + 0.06482257935138132
    p = ((p * u - 0.023781147176709486) * u - 0.0678105530622906) * u + 0.6265040291348648
    return p * (d * b)


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def vgap(x, hazard):
    """hazard(x) - x without cancellation for x > 0."""
    a = sel(x > 1e75, 1e75, sel(x > 0.0, x, 0.0)) * 0.7071067811865476
    b = a + 3.0
    c = a + a + 1.0
    d = 1.0 / (b * c)
    u = (a - 3.0) * (d * c)
    p = -1.6717854640311662e-09
    p = (((p * u + 1.6658030761131226e-08) * u + 3.484169490374029e-08) * u - 1.5683806890065948e-07) * u - 3.279312033095197e-07
    p = (((p * u + 7.16856430933493e-07) * u + 2.0827877677597945e-06) * u - 2.0107340497809134e-06) * u - 1.0790263635920791e-05
    p = (((p * u + 2.674995681609241e-06) * u + 5.1653959749292614e-05) * u + 8.068684704678384e-06) * u - 0.0002511704501829668
    p = (((p * u - 5.836588098385952e-05) * u + 0.001312771905871123) * u - 0.0002097949622926155) * u - 0.00710314162932898
    p = (((p * u + 0.008790460027022036) * u + 0.028143831313216336) * u - 0.11123889650564155) * u + 0.14966424940046294
    p = (((p * u + 0.017084233622074695) * u - 0.41823660689186776) * u + 0.7677165974453145) * u - 0.6146944653584216
    p = (p * u - 0.1820935433682225) * u + 2.3611218799876634
    v = d * b
    return sel(x > 0.0, hazard * (p * (v * v)), hazard - x)


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def vlogh(x, density, tail, lower):
    """log H(x) from density = e^(-x^2/2), tail = vtail(|x|) and lower = H(x) e^(x^2/2) or H(x), whichever is not small."""
    y = vlog(lower)
    u = density * tail
    return sel(x > 0.0, y - 0.5 * x * x, y + ((1.0 - lower) - u))


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def vtanh(x, decay):
    """tanh(x) from decay = e^(-2|x|)."""
    z = sel(x * x < 0.4, x * x, 0.0)
    p = -1.6925719888061585e-05
    p = (((p * z + 7.899912363092801e-05) * z - 0.00023029727919427495) * z + 0.0005872264191418522) * z - 0.0014552533620089917
    p = (((p * z + 0.0035920498263923854) * z - 0.008863228923119462) * z + 0.021869488209066645) * z - 0.053968253959920026
    p = (p * z + 0.1333333333332503) * z - 0.3333333333333332
    t = (1.0 - decay) / (1.0 + decay)
    return sel(x * x < 0.4, (x * z) * p + x, sel(x > 0.0, t, -t))


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def verf(x, upper):
    """erf(x) from upper = erfc(|x|)."""
    z = sel(x * x < 0.75, x * x, 0.0)
    p = 1.0544705905545262e-08
    p = (((p * z - 1.5651274554045032e-07) * z + 1.639232264376374e-06) * z - 1.4921364704551977e-05) * z + 0.00012055162862621622
    p = (((p * z - 0.0008548322670932788) * z + 0.005223977555857794) * z - 0.026866170638631035) * z + 0.11283791670923947
    p = (p * z - 0.3761263890318317) * z + 1.1283791670955126
    return sel(x * x < 0.75, x * p, sel(x > 0.0, 1.0 - upper, upper - 1.0))


@njit(forceinline=True, fastmath={"contract"}, error_model="numpy")
def digamma(x):
    """Derivative of log Gamma for x > 0: the asymptotic series, eight steps up."""
    y = x + 8.0
    z = 1.0 / (y * y)
    p = z * (
        0.08333333333333333
        - z * (0.008333333333333333 - z * (0.003968253968253968 - z * (0.004166666666666667 - z * 0.007575757575757576)))
    )
    p = vlog(y) - 0.5 / y - p
    p = p - 1.0 / x - 1.0 / (x + 1.0) - 1.0 / (x + 2.0) - 1.0 / (x + 3.0)
    return p - 1.0 / (x + 4.0) - 1.0 / (x + 5.0) - 1.0 / (x + 6.0) - 1.0 / (x + 7.0)
