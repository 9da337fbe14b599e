/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/pictures.h"

#include <math.h>

enum { grid_points = 7 };

void bench_draw_picture(meso_random *random, unsigned width, unsigned height, uint8_t *pixels)
{
    double grid[grid_points][grid_points][3];
    for (size_t i = 0; i < sizeof grid / sizeof(double); i++)
        (&grid[0][0][0])[i] = meso_random_uniform(random, 0, 256);
    for (unsigned y = 0; y < height; y++)
        for (unsigned x = 0; x < width; x++) {
            double gy = (double)y * (grid_points - 1) / height;
            double gx = (double)x * (grid_points - 1) / width;
            size_t row = (size_t)gy, column = (size_t)gx;
            double fy = gy - (double)row, fx = gx - (double)column;
            for (int c = 0; c < 3; c++) {
                double above = (1 - fx) * grid[row][column][c] + fx * grid[row][column + 1][c];
                double below =
                    (1 - fx) * grid[row + 1][column][c] + fx * grid[row + 1][column + 1][c];
                double value = (1 - fy) * above + fy * below + meso_random_uniform(random, -8, 8);
                *pixels++ = (uint8_t)fmin(fmax(value, 0), 255);
            }
        }
}
