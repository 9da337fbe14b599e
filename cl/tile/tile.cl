/* SPDX-License-Identifier: Apache-2.0
 *
 * What the templates of GPUs' kernels (tile_*.cl) share, once in front of them. The sizes in
 * capitals are defined for each template (src/net/tile/tile_source.c).
 */
#define LARGER(a, b) (((a) > (b) | (a) != (a)) ? (a) : (b)) /* NaN stays NaN, on either side */
#define SMALLER(a, b) (((a) < (b) | (a) != (a)) ? (a) : (b))
#define HALO (TAPS / 2)
#define TILE_COLUMNS (2 * GROUP_X + 2 * HALO)
#define TILE_ROWS (2 * GROUP_Y + 2 * HALO)
#define ITEMS (GROUP_X * GROUP_Y * IMAGES)
#define WINDOW (TAPS * TAPS)

#define ROLLED _Pragma("unroll 1")
#define UNROLLED _Pragma("unroll")

/* The work-item of a group over (x, y, image), and where the group's tile begins. */
#define GET_ITEM                                                                                   \
    const int qx = (int)get_local_id(0), qy = (int)get_local_id(1), image = (int)get_local_id(2);  \
    const int item = (image * GROUP_Y + qy) * GROUP_X + qx;                                        \
    const int left = (int)get_group_id(0) * 2 * GROUP_X, top = (int)get_group_id(1) * 2 * GROUP_Y

/* Place i of the tiles, columns first: its picture `first + m`, pixel (y, x) there, and
 * whether that exists. */
#define GET_PLACE(i)                                                                               \
    const int column = (i) % TILE_COLUMNS, row = (i) / TILE_COLUMNS % TILE_ROWS,                   \
              m = (i) / (TILE_COLUMNS * TILE_ROWS);                                                \
    const int y = top + row - HALO, x = left + column - HALO;                                      \
    const int inside = y >= 0 && y < HEIGHT_OF_IN && x >= 0 && x < WIDTH_OF_IN && first + m < n
