/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 with checks: from memory only, hard links only, plain datasets only.
 */
#include "h5import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A soft or external link is never in a Keras file; an external one would open other files. */
static herr_t refuse_link(hid_t group, const char *name, const H5L_info_t *info, void *unused)
{
    (void)group, (void)unused;
    if (info->type != H5L_TYPE_HARD)
        die(65, "%s is a soft or external link, which Keras does not write: refused", shown(name));
    return 0;
}

hid_t h5_open(const blob *file)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fapl_core(access, 1 << 20, 0) < 0 ||
        H5Pset_file_image(access, file->bytes, file->n) < 0)
        die(70, "out of memory");
    hid_t root = H5Fopen("memory", H5F_ACC_RDONLY, access);
    if (root < 0)
        die(65, "not a Keras file: neither HDF5 nor .keras, or damaged");
    if (H5Lvisit(root, H5_INDEX_NAME, H5_ITER_INC, refuse_link, NULL) < 0)
        die(65, "damaged: its groups cannot be listed");
    return root;
}

hid_t h5_open_group(hid_t parent, const char *path)
{
    hid_t group = H5Gopen2(parent, path, H5P_DEFAULT);
    if (group < 0)
        die(65, "damaged: group %s cannot be opened", shown(path));
    return group;
}

int h5_has_attribute(hid_t object, const char *name)
{
    return H5Aexists(object, name) > 0;
}

/* Copies n strings of `size` bytes each, padded with NUL or space as the type says. */
static void split_fixed(const char *bytes, size_t size, size_t n, H5T_str_t padding, char **out)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strnlen(bytes + i * size, size);
        while (padding == H5T_STR_SPACEPAD && length && bytes[i * size + length - 1] == ' ')
            length--;
        out[i] = strndup(bytes + i * size, length);
    }
}

char **h5_read_strings(hid_t object, const char *name, size_t *n)
{
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute);
    hssize_t count = H5Sget_simple_extent_npoints(H5Aget_space(attribute));
    size_t size = H5Tget_size(type);
    if (attribute < 0 || type < 0 || count < 0 || count > MAX_LAYERS)
        die(65, "damaged: attribute %s cannot be read", shown(name));
    char **strings = calloc((size_t)count + 1, sizeof *strings);
    *n = (size_t)count;
    if (!strings)
        die(70, "out of memory");
    if (count == 0)
        return strings; /* Keras' empty list is an array of no doubles */
    if (H5Tget_class(type) != H5T_STRING)
        die(65, "damaged: attribute %s is not text", shown(name));

    if (H5Tis_variable_str(type) > 0) {
        hid_t text = H5Tcopy(H5T_C_S1);
        if (H5Tset_size(text, H5T_VARIABLE) < 0 || H5Tset_cset(text, H5Tget_cset(type)) < 0 ||
            H5Aread(attribute, text, strings) < 0)
            die(65, "damaged: attribute %s cannot be read", shown(name));
    } else {
        if (size == 0 || size > MAX_TEXT / (size_t)count)
            die(65, "damaged: attribute %s is too large", shown(name));
        char *bytes = calloc((size_t)count, size);
        if (!bytes)
            die(70, "out of memory");
        if (H5Aread(attribute, type, bytes) < 0)
            die(65, "damaged: attribute %s cannot be read", shown(name));
        split_fixed(bytes, size, (size_t)count, H5Tget_strpad(type), strings);
        free(bytes);
    }
    for (size_t i = 0; i < (size_t)count; i++)
        if (!strings[i] || strlen(strings[i]) > MAX_TEXT)
            die(65, "damaged: attribute %s has no text", shown(name));
    return strings;
}

json_t *h5_read_text(hid_t object, const char *name)
{
    size_t n;
    if (!h5_has_attribute(object, name))
        return json_null();
    char **strings = h5_read_strings(object, name, &n);
    if (n != 1)
        die(65, "damaged: attribute %s is not one text", shown(name));
    return text_of(strings[0]);
}

/* Stored inside the file, whole or in chunks, plain or deflated. */
static void check_storage(hid_t dataset, const char *path)
{
    hid_t properties = H5Dget_create_plist(dataset);
    H5D_layout_t layout = H5Pget_layout(properties);
    if (properties < 0 ||
        (layout != H5D_CONTIGUOUS && layout != H5D_COMPACT && layout != H5D_CHUNKED))
        die(65, "%s is a virtual dataset, which Keras does not write: refused", shown(path));
    if (H5Pget_external_count(properties) != 0)
        die(65, "%s is stored in another file, which Keras does not do: refused", shown(path));
    int n_filters = H5Pget_nfilters(properties);
    for (int i = 0; i < n_filters; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(properties, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE)
            die(65, "%s is stored with HDF5 filter %d; only deflate is read", shown(path), filter);
    }
    H5Pclose(properties);
}

static json_t *read_shape(hid_t dataset, const char *path, size_t *n_values)
{
    hsize_t dims[4];
    hid_t space = H5Dget_space(dataset);
    int n_dims = H5Sget_simple_extent_ndims(space);
    json_t *shape = need(json_array());
    if (n_dims < 0 || n_dims > 4 || H5Sget_simple_extent_type(space) == H5S_NULL)
        die(65, "%s has %d dimensions; at most 4 are allowed", shown(path), n_dims);
    H5Sget_simple_extent_dims(space, dims, NULL);
    *n_values = 1;
    for (int i = 0; i < n_dims; i++) {
        /* Before the product: it cannot overflow while both factors are small. */
        if (dims[i] > MAX_VALUES || (*n_values *= (size_t)dims[i]) > MAX_VALUES)
            die(65, "%s has more than %d values", shown(path), MAX_VALUES);
        json_array_append_new(shape, need(json_integer((json_int_t)dims[i])));
    }
    H5Sclose(space);
    return shape;
}

/* bfloat16, which HDF5 lacks: h5py stores two opaque bytes, a float's upper ones. */
static herr_t read_bfloat16(hid_t dataset, hid_t type, size_t n, float *values)
{
    unsigned char *bytes = (unsigned char *)values;
    herr_t result = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
    for (size_t i = n; i-- > 0;) {
        const unsigned char upper[] = {0, 0, bytes[2 * i], bytes[2 * i + 1]};
        memcpy(bytes + 4 * i, upper, sizeof upper);
    }
    return result;
}

/* Appends n values. */
static void read_floats(import_result *out, hid_t dataset, hid_t type, size_t n, const char *path)
{
    if (out->n_values + n > MAX_TOTAL)
        die(65, "more than %d values in all", MAX_TOTAL);
    out->values = realloc(out->values, (out->n_values + n + 1) * sizeof *out->values);
    if (!out->values)
        die(70, "out of memory");
    float *values = out->values + out->n_values;
    if (n && (H5Tget_class(type) == H5T_OPAQUE
                  ? read_bfloat16(dataset, type, n, values)
                  : H5Dread(dataset, H5T_IEEE_F32LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values)) < 0)
        die(65, "damaged: the values of %s cannot be read", shown(path));
    out->n_values += n;
}

json_t *h5_read_array(import_result *out, hid_t parent, const char *path, const char *name)
{
    size_t n = 0;
    char word[16];
    hid_t dataset = H5Dopen2(parent, path, H5P_DEFAULT);
    if (dataset < 0)
        die(65, "damaged: there is no dataset %s", shown(path));
    hid_t type = H5Dget_type(dataset);
    const H5T_class_t class = H5Tget_class(type);
    const size_t size = H5Tget_size(type);
    if (class != H5T_INTEGER && !(class == H5T_FLOAT && size <= sizeof(double)) &&
        !(class == H5T_OPAQUE && size == 2))
        die(65, "%s holds neither float16, bfloat16, float32, float64 nor whole numbers",
            shown(path));
    check_storage(dataset, path);
    json_t *array = need(json_object());
    set(array, "name", text_of(name));
    set(array, "shape", read_shape(dataset, path, &n));
    if (class == H5T_INTEGER) {
        snprintf(word, sizeof word, "%sint%zu", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "",
                 8 * size);
        set(array, "type", json_string(word));
    } else {
        read_floats(out, dataset, type, n, path);
    }
    H5Tclose(type);
    H5Dclose(dataset);
    return array;
}
