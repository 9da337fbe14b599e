/* SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for CLBlast (libclblast.so.1): products of matrices on the host. TEST_CLBLAST=wrong
 * makes one value of each wrong, TEST_CLBLAST=fails every call.
 */
#include <CL/cl.h>
#include <stdlib.h>
#include <string.h>

int CLBlastClearCache(void);
int CLBlastSgemm(int layout, int transpose_a, int transpose_b, size_t m, size_t n, size_t k,
                 float alpha, cl_mem a, size_t a_first, size_t a_stride, cl_mem b, size_t b_first,
                 size_t b_stride, float beta, cl_mem c, size_t c_first, size_t c_stride,
                 cl_command_queue *queue, cl_event *event);

enum { transposed = 112, not_implemented = -1024 };

typedef struct matrix {
    cl_mem memory;
    size_t first, stride, rows, columns;
    float *values; /* rows as far apart as in the buffer */
} matrix;

static size_t n_bytes(const matrix *x)
{
    return ((x->rows - 1) * x->stride + x->columns) * sizeof(float);
}

static void read(cl_command_queue queue, matrix *x)
{
    x->values = malloc(n_bytes(x));
    clEnqueueReadBuffer(queue, x->memory, CL_TRUE, x->first * sizeof(float), n_bytes(x), x->values,
                        0, NULL, NULL);
}

int CLBlastClearCache(void)
{
    return 0;
}

int CLBlastSgemm(int layout, int transpose_a, int transpose_b, size_t m, size_t n, size_t k,
                 float alpha, cl_mem a, size_t a_first, size_t a_stride, cl_mem b, size_t b_first,
                 size_t b_stride, float beta, cl_mem c, size_t c_first, size_t c_stride,
                 cl_command_queue *queue, cl_event *event)
{
    const char *way = getenv("TEST_CLBLAST");
    const int t = transpose_a == transposed;
    (void)layout, (void)transpose_b, (void)alpha, (void)beta, (void)event;
    if (way && strcmp(way, "fails") == 0)
        return not_implemented;
    matrix x[] = {{a, a_first, a_stride, t ? k : m, t ? m : k, NULL},
                  {b, b_first, b_stride, k, n, NULL},
                  {c, c_first, c_stride, m, n, NULL}};
    for (int i = 0; i < 3; i++)
        read(*queue, &x[i]);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t l = 0; l < k; l++)
                sum += (double)x[0].values[t ? l * a_stride + i : i * a_stride + l] *
                       x[1].values[l * b_stride + j];
            x[2].values[i * c_stride + j] = (float)sum;
        }
    if (way && strcmp(way, "wrong") == 0)
        x[2].values[(m - 1) * c_stride + n - 1] += 0.05f;
    clEnqueueWriteBuffer(*queue, c, CL_TRUE, c_first * sizeof(float), n_bytes(&x[2]), x[2].values,
                         0, NULL, NULL);
    for (int i = 0; i < 3; i++)
        free(x[i].values);
    return 0;
}
