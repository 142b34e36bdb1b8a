# sluice_embed_page(TARGET): adds the source that defines sluice::api::page_assets().
# ON: npm ci when the lock file is newer than what is installed, then esbuild, whose output becomes a C++ array.
# OFF: a one-page stand-in, no Node needed.
function(sluice_embed_page target)
  set(dashboard ${PROJECT_SOURCE_DIR}/dashboard)
  if(NOT SLUICE_DASHBOARD)
    target_sources(${target} PRIVATE ${dashboard}/embed/without_page.cpp)
    return()
  endif()

  find_program(SLUICE_NODE NAMES node nodejs)
  find_program(SLUICE_NPM npm)
  if(NOT SLUICE_NODE OR NOT SLUICE_NPM)
    message(FATAL_ERROR "The page needs node and npm (Debian: apt-get install nodejs npm). "
                        "Install them, or configure with -DSLUICE_DASHBOARD=OFF to build without the page.")
  endif()

  set(installed ${dashboard}/node_modules/.package-lock.json)
  add_custom_command(
    OUTPUT ${installed}
    COMMAND ${CMAKE_COMMAND} -DNPM=${SLUICE_NPM} -DDASHBOARD=${dashboard} -P ${PROJECT_SOURCE_DIR}/cmake/InstallPage.cmake
    DEPENDS ${dashboard}/package.json ${dashboard}/package-lock.json
    COMMENT "Installing the page's packages (npm ci)" VERBATIM)

  file(GLOB sources CONFIGURE_DEPENDS ${dashboard}/src/*)
  set(generated ${PROJECT_BINARY_DIR}/dashboard/page_assets.cpp)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${SLUICE_NODE} ${dashboard}/build.mjs --cpp ${generated}
    DEPENDS ${installed} ${dashboard}/build.mjs ${dashboard}/tsconfig.json ${sources}
    COMMENT "Bundling the page" VERBATIM)
  target_sources(${target} PRIVATE ${generated})
endfunction()
