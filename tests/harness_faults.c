/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fault_layer/fault_layer.h"
#include "harness_run.h"

fault_layer_state *harness_put_layer(const char *library)
{
    void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    fault_layer_state *state = loaded ? dlsym(loaded, FAULT_LAYER_SYMBOL) : NULL;
    if (state && setenv("OPENCL_LAYERS", library, 1) == 0)
        return state;
    fprintf(stderr, "%s: %s\n", library, dlerror());
    return NULL;
}

void harness_need_layers(const char *library)
{
    static int known = -1;
    char variable[4200];
    const char *const environment[] = {variable, "MESO_FAULT_CALL=1", "MESO_FAULT_CODE=-5", NULL};
    if (known < 0) {
        snprintf(variable, sizeof variable, "OPENCL_LAYERS=%s", library);
        harness_result result =
            harness_run(&(harness_command){.words = "devices", .environment = environment});
        known = result.code != 0;
        harness_forget(&result);
    }
    if (!known) {
        print_message("this OpenCL loader knows no layers (OPENCL_LAYERS)\n");
        skip();
    }
}
