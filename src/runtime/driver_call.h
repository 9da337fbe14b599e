/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenCL, with each call marked while it runs: a crash on this thread outside of them is not the
 * driver's. A call that has no line here counts as the program's own; tests/tree.sh looks for it.
 */
#ifndef MESO_RUNTIME_DRIVER_CALL_H
#define MESO_RUNTIME_DRIVER_CALL_H

#include <CL/cl.h>

#include "base/thread.h"

#define MESO_IN_DRIVER(call)                   \
    __extension__({                            \
        const int before_ = meso_thread_runs;  \
        meso_thread_runs = MESO_OF_DRIVER;     \
        const __typeof__(call) answer_ = call; \
        meso_thread_runs = before_;            \
        answer_;                               \
    })

/* clang-format off */
#define clBuildProgram(...) MESO_IN_DRIVER(clBuildProgram(__VA_ARGS__))
#define clCreateBuffer(...) MESO_IN_DRIVER(clCreateBuffer(__VA_ARGS__))
#define clCreateCommandQueue(...) MESO_IN_DRIVER(clCreateCommandQueue(__VA_ARGS__))
#define clCreateContext(...) MESO_IN_DRIVER(clCreateContext(__VA_ARGS__))
#define clCreateKernel(...) MESO_IN_DRIVER(clCreateKernel(__VA_ARGS__))
#define clCreateProgramWithBinary(...) MESO_IN_DRIVER(clCreateProgramWithBinary(__VA_ARGS__))
#define clCreateProgramWithSource(...) MESO_IN_DRIVER(clCreateProgramWithSource(__VA_ARGS__))
#define clCreateSubBuffer(...) MESO_IN_DRIVER(clCreateSubBuffer(__VA_ARGS__))
#define clCreateSubDevices(...) MESO_IN_DRIVER(clCreateSubDevices(__VA_ARGS__))
#define clEnqueueBarrierWithWaitList(...) MESO_IN_DRIVER(clEnqueueBarrierWithWaitList(__VA_ARGS__))
#define clEnqueueFillBuffer(...) MESO_IN_DRIVER(clEnqueueFillBuffer(__VA_ARGS__))
#define clEnqueueMapBuffer(...) MESO_IN_DRIVER(clEnqueueMapBuffer(__VA_ARGS__))
#define clEnqueueMarkerWithWaitList(...) MESO_IN_DRIVER(clEnqueueMarkerWithWaitList(__VA_ARGS__))
#define clEnqueueNDRangeKernel(...) MESO_IN_DRIVER(clEnqueueNDRangeKernel(__VA_ARGS__))
#define clEnqueueReadBuffer(...) MESO_IN_DRIVER(clEnqueueReadBuffer(__VA_ARGS__))
#define clEnqueueUnmapMemObject(...) MESO_IN_DRIVER(clEnqueueUnmapMemObject(__VA_ARGS__))
#define clEnqueueWriteBuffer(...) MESO_IN_DRIVER(clEnqueueWriteBuffer(__VA_ARGS__))
#define clFinish(...) MESO_IN_DRIVER(clFinish(__VA_ARGS__))
#define clFlush(...) MESO_IN_DRIVER(clFlush(__VA_ARGS__))
#define clGetCommandQueueInfo(...) MESO_IN_DRIVER(clGetCommandQueueInfo(__VA_ARGS__))
#define clGetDeviceIDs(...) MESO_IN_DRIVER(clGetDeviceIDs(__VA_ARGS__))
#define clGetDeviceInfo(...) MESO_IN_DRIVER(clGetDeviceInfo(__VA_ARGS__))
#define clGetEventProfilingInfo(...) MESO_IN_DRIVER(clGetEventProfilingInfo(__VA_ARGS__))
#define clGetKernelWorkGroupInfo(...) MESO_IN_DRIVER(clGetKernelWorkGroupInfo(__VA_ARGS__))
#define clGetPlatformIDs(...) MESO_IN_DRIVER(clGetPlatformIDs(__VA_ARGS__))
#define clGetPlatformInfo(...) MESO_IN_DRIVER(clGetPlatformInfo(__VA_ARGS__))
#define clGetProgramBuildInfo(...) MESO_IN_DRIVER(clGetProgramBuildInfo(__VA_ARGS__))
#define clGetProgramInfo(...) MESO_IN_DRIVER(clGetProgramInfo(__VA_ARGS__))
#define clReleaseCommandQueue(...) MESO_IN_DRIVER(clReleaseCommandQueue(__VA_ARGS__))
#define clReleaseContext(...) MESO_IN_DRIVER(clReleaseContext(__VA_ARGS__))
#define clReleaseDevice(...) MESO_IN_DRIVER(clReleaseDevice(__VA_ARGS__))
#define clReleaseEvent(...) MESO_IN_DRIVER(clReleaseEvent(__VA_ARGS__))
#define clReleaseKernel(...) MESO_IN_DRIVER(clReleaseKernel(__VA_ARGS__))
#define clReleaseMemObject(...) MESO_IN_DRIVER(clReleaseMemObject(__VA_ARGS__))
#define clReleaseProgram(...) MESO_IN_DRIVER(clReleaseProgram(__VA_ARGS__))
#define clSetKernelArg(...) MESO_IN_DRIVER(clSetKernelArg(__VA_ARGS__))
#define clWaitForEvents(...) MESO_IN_DRIVER(clWaitForEvents(__VA_ARGS__))
/* clang-format on */

#endif
