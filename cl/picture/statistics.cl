/* SPDX-License-Identifier: Apache-2.0
 *
 * What a picture is like, counted in integers; the host divides, in double
 * (src/picture/statistics.c, which also defines the places in a record: R_…). Integers have one
 * right answer, on every device and in every order.
 *
 * Work-item: one band of rows of one picture, with a record and scratch of its own. A picture on a
 * core is one band; elsewhere it is cut into several. Borders repeat the outermost pixel: for a
 * minimum or maximum that is the same as leaving out what lies outside.
 */
typedef struct band {
    uint pixels; /* where the picture begins, [height][width][3] bytes */
    uint scratch;
    int width, height;
    int first, end; /* rows of this band */
} band_t;

inline band_t band_of(__global const uint *bands, int i)
{
    bands += 6 * (size_t)i;
    const band_t b = {bands[0], bands[1], (int)bands[2], (int)bands[3],
                      (int)bands[4], (int)bands[5]};
    return b;
}

inline void put_sum(__global uint *record, int at, ulong sum)
{
    record[at] = (uint)sum;
    record[at + 1] = (uint)(sum >> 32);
}

/* One row → OpenCV's L, two pixels repeated before and behind it. A table holds, for each value of
 * each channel, its part of Y in the low half and its part of Pillow's L in the high half, so that
 * one sum gives both. With `counted`, also the histograms; the sum of Pillow's L is returned.
 * Neighbours are often equal, and a counter cannot be raised again before its last store is done:
 * even and odd pixels have counters of their own. The table is volatile because compilers else put
 * its three loads into one gather, which is slower on most processors. */
inline ulong lightness_row(__global const uchar *restrict rgb, int width,
                           volatile __global const ulong *parts,
                           __global const uchar *restrict lightness, __global uchar *restrict l,
                           __global uint *restrict record, int counted)
{
    ulong sum = 0;
    for (int x = 0; x < width; x++) {
        const int r = rgb[3 * x], g = rgb[3 * x + 1], b = rgb[3 * x + 2];
        const ulong both = parts[r] + parts[256 + g] + parts[512 + b];
        l[x + 2] = lightness[(uint)both >> 12];
        if (counted) {
            __global uint *copy = record + (x & 1) * R_COPY;
            sum += both >> 48;
            copy[R_HISTOGRAM + r]++;
            copy[R_HISTOGRAM + 256 + g]++;
            copy[R_HISTOGRAM + 512 + b]++;
        }
    }
    l[0] = l[1] = l[2];
    l[width + 2] = l[width + 3] = l[width + 1];
    return sum;
}

inline uchar smaller(uchar a, uchar b)
{
    return a < b ? a : b;
}

inline uchar larger(uchar a, uchar b)
{
    return a > b ? a : b;
}

/* Minimum and maximum of five neighbours. Sixteen pixels at a time: what lies past the width
 * is never used. */
inline void spread_row(__global const uchar *l, int width, __global uchar *low,
                       __global uchar *high)
{
    for (int x = 0; x < width; x += 16) {
        const uchar16 a = vload16(0, l + x), b = vload16(0, l + x + 1), c = vload16(0, l + x + 2);
        const uchar16 d = vload16(0, l + x + 3), e = vload16(0, l + x + 4);
        vstore16(min(min(min(a, b), min(c, d)), e), 0, low + x);
        vstore16(max(max(max(a, b), max(c, d)), e), 0, high + x);
    }
}

/* The same of five rows, then Σ (max − min) for each max + min: the host divides one by the
 * other. */
inline void contrast_row(__global const uchar *low, __global const uchar *high, int stride,
                         int width, __global uchar *differences, __global ushort *sums,
                         __global uint *restrict record)
{
    for (int x = 0; x < width; x += 16) {
        uchar16 a = vload16(0, low + x), b = vload16(0, high + x);
        for (int k = 1; k < 5; k++) {
            a = min(a, vload16(0, low + k * stride + x));
            b = max(b, vload16(0, high + k * stride + x));
        }
        vstore16(b - a, 0, differences + x);
        vstore16(convert_ushort16(a) + convert_ushort16(b), 0, sums + x);
    }
    for (int x = 0; x < width; x++)
        record[(x & 1) * R_COPY + R_CONTRAST + sums[x]] += differences[x];
}

/* The study's statistics. parts: [3][256]; lightness: OpenCV's L for each Y. */
__kernel void count_study(__global const uchar *restrict pixels,
                          volatile __global const ulong *parts,
                          __global const uchar *restrict lightness, __global const uint *bands,
                          const int n_bands, __global uchar *restrict scratch,
                          __global uint *restrict records)
{
    const int i = (int)get_global_id(0);
    if (i >= n_bands)
        return;
    const band_t b = band_of(bands, i);
    const int width = b.width, last = b.height - 1, stride = SCRATCH_STRIDE(width);
    __global uint *record = records + (size_t)i * R_WORDS;
    __global uchar *low = scratch + b.scratch, *high = low + 5 * stride, *l = high + 5 * stride;
    __global ushort *sums = (__global ushort *)(l + stride);
    __global uchar *differences = l + 3 * stride;
    ulong sum = 0;
    for (int k = 0; k < R_WORDS; k++)
        record[k] = 0;
    for (int y = b.first - 2; y < b.end + 2; y++) {
        /* Rows that the ring lacks: those past a border stand for the border's row. */
        const int row = y < 0 ? 0 : y > last ? last : y;
        const int slot = (y + 5) % 5;
        sum += lightness_row(pixels + b.pixels + (size_t)row * width * 3, width, parts, lightness,
                             l, record, y >= b.first && y < b.end);
        spread_row(l, width, low + slot * stride, high + slot * stride);
        if (y >= b.first + 2)
            contrast_row(low, high, stride, width, differences, sums, record);
    }
    put_sum(record, R_LUMA, sum);
}

/* Pillow's L of one row, a pixel repeated at each end. */
inline void luma_row(__global const uchar *restrict rgb, int width, __global short *restrict out)
{
    for (int x = 0; x < width; x++)
        out[x + 1] = (short)((19595 * rgb[3 * x] + 38470 * rgb[3 * x + 1] +
                              7471 * rgb[3 * x + 2] + 0x8000) >> 16);
    out[0] = out[1];
    out[width + 1] = out[width];
}

inline int magnitude(int v)
{
    return v < 0 ? -v : v;
}

/* Laplacian (0 1 0, 1 −4 1, 0 1 0): sum and sum of squares; Σ |1 −2 1, −2 4 −2, 1 −2 1|. Short runs
 * keep the sums within 32 bits, which the compiler can put into vectors. */
inline void edge_run(__global const short *restrict up, __global const short *restrict here,
                     __global const short *restrict down, int begin, int end, ulong sums[3])
{
    int laplacian = 0;
    uint squares = 0, noise = 0;
    for (int x = begin; x < end; x++) {
        const int cross = up[x + 1] + down[x + 1] + here[x] + here[x + 2];
        const int corners = up[x] + up[x + 2] + down[x] + down[x + 2];
        const int edge = cross - 4 * here[x + 1];
        laplacian += edge;
        squares += (uint)(edge * edge);
        noise += (uint)magnitude(corners - 2 * cross + 4 * here[x + 1]);
    }
    sums[0] += (ulong)(long)laplacian;
    sums[1] += squares;
    sums[2] += noise;
}

/* R − G and R + G − 2B: sums and sums of squares. */
inline void colour_run(__global const uchar *restrict rgb, int begin, int end, ulong sums[4])
{
    int rg = 0, yb = 0;
    uint rg_squares = 0, yb_squares = 0;
    for (int x = begin; x < end; x++) {
        const int r = rgb[3 * x], g = rgb[3 * x + 1], b = rgb[3 * x + 2];
        rg += r - g;
        yb += r + g - 2 * b;
        rg_squares += (uint)((r - g) * (r - g));
        yb_squares += (uint)((r + g - 2 * b) * (r + g - 2 * b));
    }
    sums[0] += (ulong)(long)rg;
    sums[1] += rg_squares;
    sums[2] += (ulong)(long)yb;
    sums[3] += yb_squares;
}

/* Σ (max − min) of a pixel's channels for each max. */
inline void saturation_row(__global const uchar *restrict rgb, int width,
                           __global uint *restrict record)
{
    for (int x = 0; x < width; x++) {
        const uchar r = rgb[3 * x], g = rgb[3 * x + 1], b = rgb[3 * x + 2];
        const uchar high = larger(larger(r, g), b), low = smaller(smaller(r, g), b);
        record[(x & 1) * R_COPY + R_SATURATION + high] += (uint)(high - low);
    }
}

/* Differences between neighbours: all of them, and those across borders of 8×8 blocks. */
inline void block_row(__global const short *restrict here, __global const short *restrict down,
                      int width, int has_down, int border_below, ulong sums[4])
{
    uint all = 0, border = 0, below = 0;
    for (int x = 0; x + 1 < width; x++)
        all += (uint)magnitude(here[x + 1] - here[x + 2]);
    for (int x = 7; x + 1 < width; x += 8)
        border += (uint)magnitude(here[x + 1] - here[x + 2]);
    for (int x = 0; has_down && x < width; x++)
        below += (uint)magnitude(here[x + 1] - down[x + 1]);
    sums[0] += all;
    sums[1] += border;
    sums[2] += below;
    sums[3] += border_below ? below : 0;
}

/* What the study did not look at. */
__kernel void count_more(__global const uchar *restrict pixels, __global const uint *bands,
                         const int n_bands, __global uchar *restrict scratch,
                         __global uint *restrict records)
{
    const int i = (int)get_global_id(0);
    if (i >= n_bands)
        return;
    const band_t b = band_of(bands, i);
    const int width = b.width, last = b.height - 1, stride = SCRATCH_STRIDE(width);
    __global uint *record = records + (size_t)i * R_WORDS;
    __global short *rows = (__global short *)(scratch + b.scratch);
    __global const uchar *picture = pixels + b.pixels;
    ulong edges[3] = {0, 0, 0}, colours[4] = {0, 0, 0, 0}, blocks[4] = {0, 0, 0, 0};
    for (int y = b.first - 1; y <= b.end; y++) {
        const int row = y < 0 ? 0 : y > last ? last : y;
        luma_row(picture + (size_t)row * width * 3, width, rows + (y + 3) % 3 * stride);
        if (y <= b.first)
            continue;
        const int centre = y - 1;
        __global const uchar *rgb = picture + (size_t)centre * width * 3;
        __global const short *up = rows + (centre + 2) % 3 * stride,
                             *here = rows + centre % 3 * stride, *down = rows + y % 3 * stride;
        for (int begin = 0; begin < width; begin += RUN_PIXELS) {
            const int end = begin + RUN_PIXELS < width ? begin + RUN_PIXELS : width;
            colour_run(rgb, begin, end, colours);
            if (centre > 0 && centre < last) /* the outermost pixels have no edges */
                edge_run(up, here, down, begin > 0 ? begin : 1, end < width ? end : width - 1,
                         edges);
        }
        saturation_row(rgb, width, record);
        block_row(here, down, width, centre < last, centre % 8 == 7, blocks);
    }
    for (int k = 0; k < 3; k++)
        put_sum(record, R_EDGES + 2 * k, edges[k]);
    for (int k = 0; k < 4; k++) {
        put_sum(record, R_COLOURS + 2 * k, colours[k]);
        put_sum(record, R_BLOCKS + 2 * k, blocks[k]);
    }
}
