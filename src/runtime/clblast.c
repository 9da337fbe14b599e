/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/clblast.h"

#include <stdio.h>

#include "base/clock.h"
#include "runtime/cl_error.h"
#include "runtime/device_list.h"
#include "runtime/device_object.h"

#ifdef MESO_CLBLAST
#include <clblast_c.h>
#include <dlfcn.h>

/* Under the driver lock, as every call of the library is: it compiles kernels at first use. */
static struct {
    int tried;
    size_t n_devices; /* that have used it and are open */
    __typeof__(CLBlastSgemm) *multiply;
    __typeof__(CLBlastClearCache) *clear;
} library;

static int load(void)
{
    void *handle = library.tried ? NULL : dlopen("libclblast.so.1", RTLD_NOW | RTLD_LOCAL);
    library.tried = 1;
    if (handle) {
        *(void **)&library.multiply = dlsym(handle, "CLBlastSgemm");
        *(void **)&library.clear = dlsym(handle, "CLBlastClearCache");
    }
    return library.multiply && library.clear;
}

static int multiply(meso_device *device, const meso_product *p)
{
    library.n_devices += !device->uses_clblast;
    device->uses_clblast = 1;
    return library.multiply(
        CLBlastLayoutRowMajor, p->transposed ? CLBlastTransposeYes : CLBlastTransposeNo,
        CLBlastTransposeNo, p->m, p->n, p->k, 1, p->a.buffer->memory, p->a.first, p->a.stride,
        p->b.buffer->memory, p->b.first, p->b.stride, 0, p->c.buffer->memory, p->c.first,
        p->c.stride, &device->lane->queue, NULL);
}

/* The library keeps compiled kernels, and with them contexts; what other open devices use stays. */
void meso_clblast_forget(meso_device *device)
{
    if (device->uses_clblast && --library.n_devices == 0)
        library.clear();
}
#else
static int load(void)
{
    return 0;
}

static int multiply(meso_device *device, const meso_product *p)
{
    (void)device;
    (void)p;
    return CL_INVALID_OPERATION;
}

void meso_clblast_forget(meso_device *device)
{
    (void)device;
}
#endif

int meso_clblast_load(void)
{
    meso_driver_lock();
    int loaded = load();
    meso_driver_unlock();
    return loaded;
}

/* A product is several kernels of CLBlast's, so the host's clock times it. */
meso_status meso_clblast_multiply(meso_device *device, const meso_product *p, int wait)
{
    const int profiled = meso_device_is_profiled(device);
    if (profiled)
        MESO_CHECK(meso_device_finish(device));
    const double started = meso_seconds();
    meso_driver_lock();
    int code = load() ? MESO_IN_DRIVER(multiply(device, p)) : CL_INVALID_OPERATION;
    if (code == CL_SUCCESS && wait)
        code = clFinish(device->lane->queue);
    meso_driver_unlock();
    MESO_DEMAND(code == CL_SUCCESS, &device->error, meso_cl_status(code),
                "CLBlastSgemm of %zu x %zu x %zu: %s (%d)", p->m, p->n, p->k,
                meso_cl_error_name(code), code);
    if (profiled || device->sync)
        MESO_CHECK(meso_device_finish(device));
    if (profiled)
        MESO_CHECK(meso_profile_add_seconds(device, "clblast_sgemm", meso_seconds() - started));
    return MESO_OK;
}

void meso_clblast_switch_off(meso_device *device, const char *reason)
{
    if (!*device->clblast_off)
        snprintf(device->clblast_off, sizeof device->clblast_off, "%s", reason);
}

const char *meso_clblast_off(const meso_device *device)
{
    return device->clblast_off;
}
