/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a Keras file, for mesocl-h5import without its process: where it would end, it comes
 * back here. What HDF5 holds of a bad file stays open, as it does there: closing it crashes. So
 * memory grows with each input.
 */
#include <setjmp.h>
#include <unistd.h>

static jmp_buf end;

static _Noreturn void come_back(int exit_code)
{
    longjmp(end, exit_code + 1);
}

int h5import_main(int argc, char **argv);
#define main h5import_main
#define _exit come_back
#include "../../tools/h5import/die.c"
#include "../../tools/h5import/h5import.c"
#undef main

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static import_result out;
    static blob file;
    out = (import_result){json_object(), json_array(), NULL, 0};
    file = (blob){malloc(n + 1), n};
    if (n > 0 && setjmp(end) == 0) {
        memcpy(file.bytes, bytes, n);
        file.bytes[n] = '\0';
        blob weights = file;
        if (n >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
            weights = read_keras_zip(&out, &file);
        read_h5(&out, &weights);
    }
    json_decref(out.header);
    json_decref(out.layers);
    free(out.values);
    free(file.bytes);
    return 0;
}
