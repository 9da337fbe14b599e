/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: limits, input, kind of file, output. h5import.h describes the stream it writes.
 */
#include "h5import.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5import_limits.h"

static void limit_self(void)
{
    int error = confine_resources(&h5import_limits);
    if (error != 0)
        die(70, "cannot limit resources: %s", strerror(error));
    signal(SIGXFSZ, SIG_IGN); /* an error code in place of a silent end */
    /* OpenSSL would read its settings when SHA-256 is asked for. */
    if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
        die(70, "OpenSSL cannot start");
    confine_self(h5import_work);
}

static blob read_input(int fd)
{
    blob file = {malloc(MAX_FILE + 1), 0};
    if (!file.bytes)
        die(70, "out of memory");
    for (;;) {
        ssize_t got = read(fd, file.bytes + file.n, MAX_FILE + 1 - file.n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            die(66, "cannot read: %s", strerror(errno));
        if (got == 0)
            return file;
        file.n += (size_t)got;
        if (file.n > MAX_FILE)
            die(65, "larger than %d MiB, the most that is read", MAX_FILE >> 20);
    }
}

static int open_input(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0)
        die(66, "cannot open: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        die(66, "not a regular file");
    return fd;
}

static json_t *sha256_of(const blob *file)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    if (!EVP_Digest(file->bytes, file->n, digest, &length, EVP_sha256(), NULL))
        die(70, "SHA-256 is not available");
    for (unsigned i = 0; i < length; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return json_string(hex);
}

static void write_stream(const import_result *out)
{
    printf("mesocl-h5import 1\n");
    if (json_dumpf(out->header, stdout, JSON_COMPACT) != 0 && !ferror(stdout))
        die(70, "out of memory");
    putchar('\n');
    fwrite(out->values, sizeof *out->values, out->n_values, stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        die(74, "cannot write: %s (standard output must be a pipe)", strerror(errno));
}

/* Which of the four kinds is it? Root attributes and groups tell. */
static void read_h5(import_result *out, const blob *file)
{
    hid_t root = h5_open(file);
    if (H5Lexists(root, "model_weights", H5P_DEFAULT) > 0) {
        hid_t weights = h5_open_group(root, "model_weights");
        set(out->header, "kind", json_string("h5-model"));
        set(out->header, "keras_version", h5_read_text(root, "keras_version"));
        set(out->header, "backend", h5_read_text(root, "backend"));
        set(out->header, "config", h5_read_text(root, "model_config"));
        read_layer_names_layout(out, weights);
    } else if (h5_has_attribute(root, "layer_names") || h5_has_attribute(root, "layer_names0")) {
        set(out->header, "kind", json_string("h5-weights"));
        set(out->header, "keras_version", h5_read_text(root, "keras_version"));
        set(out->header, "backend", h5_read_text(root, "backend"));
        read_layer_names_layout(out, root);
    } else {
        /* From inside a .keras file the kind is known already. */
        if (!json_object_get(out->header, "kind"))
            set(out->header, "kind", json_string("keras3-weights"));
        read_vars_layout(out, root);
    }
}

int main(int argc, char **argv)
{
    import_result out = {need(json_object()), need(json_array()), NULL, 0};
    if (argc > 2 || (argc == 2 && argv[1][0] == '-' && argv[1][1]))
        die(2, "usage: mesocl-h5import [FILE] >PIPE    (see tools/h5import/h5import.h)");
    int fd = argc == 2 && strcmp(argv[1], "-") != 0 ? open_input(argv[1]) : STDIN_FILENO;
    limit_self();
    blob file = read_input(fd);
    blob weights = file;
    set(out.header, "sha256", sha256_of(&file));
    set(out.header, "keras_version", json_null());
    set(out.header, "backend", json_null());
    set(out.header, "config", json_null());
    if (file.n == 0)
        die(65, "empty");
    if (file.n >= 4 && memcmp(file.bytes, "PK\3\4", 4) == 0)
        weights = read_keras_zip(&out, &file);
    read_h5(&out, &weights);
    if (json_array_size(out.layers) == 0)
        die(65, "it contains no Keras layers");
    set(out.header, "layers", out.layers);
    write_stream(&out);
    /* Everything is out; leave HDF5's and the heap's tidying to the system. */
    _exit(0);
}
