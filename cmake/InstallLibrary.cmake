# Installs the job engine (all of it the component "library") for other projects: find_package(sluice), link sluice::jobs.
#   ninja -C BUILD sluice_library && cmake --install BUILD --component library --prefix PREFIX
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(library_folders base model sql jobs)
add_custom_target(sluice_library)
foreach(folder IN LISTS library_folders)
  set_target_properties(sluice_${folder} PROPERTIES EXPORT_NAME ${folder})
  add_library(sluice::${folder} ALIAS sluice_${folder})
  add_dependencies(sluice_library sluice_${folder})
  install(TARGETS sluice_${folder} EXPORT sluice ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()
add_dependencies(sluice_library english_cron)

# The page and the API inside another program, sluice::dashboard: the component "dashboard", as it brings along what only
# the service needs.   ninja -C BUILD sluice_dashboard_library && cmake --install BUILD --component dashboard --prefix PREFIX
set(dashboard_folders definition fetch decode diff upsert history load task service api)
add_custom_target(sluice_dashboard_library)
foreach(folder IN LISTS dashboard_folders)
  set_target_properties(sluice_${folder} PROPERTIES EXPORT_NAME ${folder})
  add_dependencies(sluice_dashboard_library sluice_${folder})
  install(TARGETS sluice_${folder} EXPORT sluice_dashboard ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          COMPONENT dashboard)
endforeach()
set_target_properties(sluice_api PROPERTIES EXPORT_NAME dashboard)
add_library(sluice::dashboard ALIAS sluice_api)

# Examples and users write <sluice/jobs/engine.h>. In the build tree that is a link to src.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/include/sluice SYMBOLIC)

# Installed, each "jobs/job.h" becomes "sluice/jobs/job.h": a user's own jobs/ must not come in between.
install(CODE "set(source ${PROJECT_SOURCE_DIR}/src)
set(target \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/sluice\")")
install(SCRIPT ${PROJECT_SOURCE_DIR}/cmake/InstallHeaders.cmake)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
install(EXPORT sluice_dashboard NAMESPACE sluice:: FILE sluiceDashboardTargets.cmake DESTINATION ${package}
        COMPONENT dashboard)
install(EXPORT sluice NAMESPACE sluice:: FILE sluiceTargets.cmake DESTINATION ${package})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sluiceConfig.cmake.in ${PROJECT_BINARY_DIR}/sluiceConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/sluiceConfig.cmake ${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake
        DESTINATION ${package})
