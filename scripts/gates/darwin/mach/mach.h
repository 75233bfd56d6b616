/* What native/platform/darwin/ uses of Mach, declared so that its syntax can be checked where there is no macOS SDK. */
#pragma once

#include <pthread.h>

using kern_return_t = int;
using natural_t = unsigned int;
using integer_t = int;
using mach_port_t = natural_t;
using task_t = mach_port_t;
using thread_act_t = mach_port_t;
using thread_act_array_t = thread_act_t*;
using mach_msg_type_number_t = natural_t;
using thread_flavor_t = natural_t;
using thread_info_t = integer_t*;
using vm_address_t = unsigned long;
using vm_size_t = unsigned long;

constexpr kern_return_t KERN_SUCCESS = 0;

struct time_value_t {
  integer_t seconds;
  integer_t microseconds;
};
struct thread_basic_info_data_t {
  time_value_t user_time, system_time;
  integer_t cpu_usage, policy, run_state, flags, suspend_count, sleep_time;
};
struct thread_identifier_info_data_t {
  unsigned long long thread_id, thread_handle, dispatch_qaddr;
};
constexpr thread_flavor_t THREAD_BASIC_INFO = 3;
constexpr thread_flavor_t THREAD_IDENTIFIER_INFO = 4;
constexpr mach_msg_type_number_t THREAD_BASIC_INFO_COUNT = sizeof(thread_basic_info_data_t) / sizeof(natural_t);
constexpr mach_msg_type_number_t THREAD_IDENTIFIER_INFO_COUNT =
    sizeof(thread_identifier_info_data_t) / sizeof(natural_t);

mach_port_t mach_task_self();
kern_return_t task_threads(task_t task, thread_act_array_t* threads, mach_msg_type_number_t* count);
kern_return_t thread_info(thread_act_t thread, thread_flavor_t flavor, thread_info_t info,
                          mach_msg_type_number_t* count);
kern_return_t mach_port_deallocate(task_t task, mach_port_t name);
kern_return_t vm_deallocate(task_t task, vm_address_t address, vm_size_t size);

mach_port_t pthread_mach_thread_np(pthread_t thread);
pthread_t pthread_from_mach_thread_np(mach_port_t port);
