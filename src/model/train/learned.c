/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/learned.h"

#include <math.h>

double meso_constant_loss(meso_loss loss, size_t n_fake, size_t n_real)
{
    const double real = (double)n_real / (double)(n_fake + n_real), fake = 1 - real;
    if (loss == MESO_LOSS_MSE)
        return real * fake;
    return -(real > 0 ? real * log(real) : 0) - (fake > 0 ? fake * log(fake) : 0);
}

int meso_has_learned(meso_loss loss, size_t n_fake, size_t n_real, double reached, double accuracy)
{
    const double n = (double)(n_fake + n_real);
    const double share = (double)(n_fake > n_real ? n_fake : n_real) / n;
    return reached < (0.98 - 0.5 / sqrt(n)) * meso_constant_loss(loss, n_fake, n_real) ||
           accuracy > share + 2 * sqrt(share * (1 - share) / n);
}
